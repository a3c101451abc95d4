/** One real call: the upstream and the credential of the configuration, through gateway and container. It costs money. */
import type { AgentConfig } from '../../config/config.ts';
import type { Check } from '../check.ts';
import { outcomeWords } from './continuity.ts';
import { createConversation } from './conversations.ts';
import { failed, type ProbeCheck, passed } from './probe-check.ts';
import { type ProbeDeps, setStage, strikeStage } from './stage.ts';
import { runTurn } from './turn.ts';

const PROMPT = 'This is a check of the connection. Answer with the one word: ready';

/** `deps.gateway` leads to the real upstream here. */
export async function checkLive(deps: ProbeDeps, agent: AgentConfig): Promise<Check<ProbeCheck>> {
  const conversationId = await createConversation(deps.database, {
    agent: agent.name,
    fact: 'live',
    now: deps.now(),
  });
  try {
    const stage = await setStage(deps, agent, conversationId);
    const turn = await runTurn(deps, stage, { prompt: PROMPT, tools: [], maxTurns: 1 });
    if (turn.outcome.kind === 'answered' && turn.outcome.answer.trim() !== '') {
      return passed(agent, 'live', `${agent.model} answered`);
    }
    const isRefused = turn.outcome.kind === 'limited' && turn.outcome.status === 401;
    return failed(agent, 'live', {
      ...(isRefused ? { fault: 'refused' } : {}),
      problem: outcomeWords(turn),
      evidence: '',
      remedy: 'See the line of the model credential, and the name of the agent’s model.',
    });
  } finally {
    await strikeStage(deps, conversationId);
  }
}
