/**
 * Proves that a session is resumed. One dispatch tells a fact; its container is removed; another one resumes, and the fact
 * must be in the history that reaches the model. The next smoke run, hours or a restart later, resumes it once more.
 */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AgentConfig } from '../../config/config.ts';
import type { ConversationRow } from '../../database/tables.ts';
import { transcriptPath } from '../../sessions/folders.ts';
import type { Check } from '../check.ts';
import { createConversation, leftConversations } from './conversations.ts';
import { type LayoutOutcome, probeLayout } from './layout.ts';
import { failed, type ProbeCheck, passed, skipped } from './probe-check.ts';
import { checkPush, type PushDoor } from './push.ts';
import { PLANT, RECALL, SHELL_ANSWER } from './script.ts';
import { type ProbeDeps, placeOfStage, type Stage, setStage, strikeStage } from './stage.ts';
import { runTurn, type Turn } from './turn.ts';

export async function probeAgent(
  deps: ProbeDeps,
  agent: AgentConfig,
  door: PushDoor | null,
): Promise<Check<ProbeCheck>[]> {
  const left = await leftConversations(deps.database, agent.name);
  const fact = `smoke-${randomBytes(6).toString('hex')}`;
  const now = deps.now();
  const conversationId = await createConversation(deps.database, { agent: agent.name, fact, now });
  const stage = await setStage(deps, agent, conversationId);
  const layout = await lookAtLayout(deps, stage);
  const checks = [layoutCheck(agent, layout)];
  if (layout.kind === 'broken' && HOPELESS.includes(layout.reason)) {
    await strikeStage(deps, conversationId);
    return checks;
  }
  checks.push(...(await checkEarlier(deps, agent, { left, layout })));
  const about = { agent, stage, fact, layout };
  const planted = await runTurn(deps, stage, { prompt: PLANT(fact), tools: ['Bash'], maxTurns: 10 });
  checks.push(shellCheck(about, planted), await transcriptCheck(about, planted));
  const resumed = await runTurn(deps, stage, { prompt: RECALL, tools: ['Bash'], maxTurns: 10 });
  checks.push(resumeCheck(about, resumed, 'resume'));
  checks.push(await checkPush(deps, stage, door));
  for (const { id } of left) await strikeStage(deps, id);
  return checks;
}

/** With these, nothing can run in the container, so the other probes are left out. */
const HOPELESS = ['container-failed', 'no-shell'] as string[];

async function lookAtLayout(deps: ProbeDeps, stage: Stage): Promise<LayoutOutcome> {
  const dispatchId = `smoke-${stage.conversationId}`;
  const open = await deps.gateway.open({
    dispatchId,
    conversationId: stage.conversationId,
    agent: stage.agent.name,
    models: { agent: stage.agent.model, small: deps.config.model.small },
    tools: [],
    caps: { requests: null, tokens: null, usd: null },
  });
  try {
    const place = await placeOfStage(deps, stage, open);
    return await probeLayout({ ...deps, place, folder: stage.folders.config, dispatch: dispatchId });
  } finally {
    await open.close();
  }
}

interface About {
  agent: AgentConfig;
  stage: Pick<Stage, 'folders'>;
  fact: string;
  layout: LayoutOutcome;
}

function layoutCheck(agent: AgentConfig, layout: LayoutOutcome): Check<ProbeCheck> {
  if (layout.kind === 'sound') {
    return passed(agent, 'layout', `writable, kept on this machine, uid ${layout.uid}`);
  }
  const { reason, detail, remedy } = layout;
  return failed(agent, 'layout', { problem: reason, evidence: detail, remedy });
}

async function checkEarlier(
  deps: ProbeDeps,
  agent: AgentConfig,
  { left, layout }: { left: ConversationRow[]; layout: LayoutOutcome },
): Promise<Check<ProbeCheck>[]> {
  const last = left.at(-1);
  if (last === undefined) {
    const words = 'this is the first check here; the next one resumes what it leaves';
    return [skipped(agent, 'earlier-session', words)];
  }
  const stage = await setStage(deps, agent, last.id);
  const turn = await runTurn(deps, stage, { prompt: RECALL, tools: ['Bash'], maxTurns: 10 });
  return [resumeCheck({ agent, stage, fact: last.title, layout }, turn, 'earlier-session')];
}

function shellCheck({ agent }: About, turn: Turn): Check<ProbeCheck> {
  const answer = SHELL_ANSWER.exec(JSON.stringify(turn.requests.at(-1)?.messages ?? []))?.[0];
  if (answer !== undefined) return passed(agent, 'shell', answer.split(' ').at(-1)!);
  return failed(agent, 'shell', {
    problem: 'the answer of a shell call did not reach the model',
    evidence: outcomeWords(turn),
    remedy: 'Use an image with bash; see that the CLI fits it (`claude-hooks doctor`).',
  });
}

async function transcriptCheck(about: About, { outcome }: Turn): Promise<Check<ProbeCheck>> {
  const { agent, stage, fact, layout } = about;
  if (outcome.kind !== 'answered') {
    return notAnswered(about, { outcome }, 'transcript');
  }
  const file = join(stage.folders.config, transcriptPath(outcome.sessionId));
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => error);
  if (typeof text === 'string' && text.includes(fact)) {
    return passed(agent, 'transcript', `${text.length} bytes at ${file}`);
  }
  const words = typeof text === 'string' ? 'does not hold what was said' : `cannot be read (${text.code})`;
  const evidence = `the CLI answered, but ${file} ${words}`;
  return failed(agent, 'transcript', { problem: causeOf(layout), evidence, remedy: remedyOf(layout) });
}

function resumeCheck(about: About, turn: Turn, name: 'resume' | 'earlier-session'): Check<ProbeCheck> {
  const { agent, fact, layout } = about;
  const { outcome } = turn;
  if (outcome.kind !== 'answered') return notAnswered(about, turn, name);
  const first = turn.requests[0];
  const isThere = first !== undefined && JSON.stringify(first.messages).includes(fact);
  // guard: smoke and the rung
  if (outcome.continuity === 'resumed' && isThere) {
    const words = `another container brought the fact along (${first.historyMessages} messages of history)`;
    return passed(agent, name, words);
  }
  const words =
    outcome.continuity === 'resumed'
      ? 'the session was resumed, but the fact is not in the history that reached the model'
      : `the session could not be resumed, the run began ${outcome.continuity} (${outcome.reason})`;
  return failed(agent, name, { problem: causeOf(layout), evidence: words, remedy: remedyOf(layout) });
}

function notAnswered(
  { agent, layout }: About,
  turn: Pick<Turn, 'outcome'>,
  name: ProbeCheck,
): Check<ProbeCheck> {
  return failed(agent, name, { problem: outcomeWords(turn), evidence: '', remedy: remedyOf(layout) });
}

/** The reason that the layout probe found; without one, something removed or replaced the files later. */
function causeOf(layout: LayoutOutcome): string {
  if (layout.kind === 'broken') return layout.reason;
  return layout.leaked ? 'history-disabled' : 'transcript-missing';
}

function remedyOf(layout: LayoutOutcome): string {
  if (layout.kind === 'broken') return layout.remedy;
  return layout.leaked
    ? 'Take CLAUDE_CODE_SKIP_PROMPT_HISTORY out of the image’s ENV, of container.run_args, or of whatever sets it.'
    : 'See that nothing removes or replaces files below `conversations` in the state folder, between runs or at an update.';
}

export function outcomeWords({ outcome }: Pick<Turn, 'outcome'>): string {
  switch (outcome.kind) {
    case 'not-run':
    case 'limited':
    case 'out-of-budget':
    case 'transient':
    case 'interrupted':
      return `the run did not end well: ${outcome.why}`;
    case 'refused':
    case 'declined':
      return `the run was refused: ${outcome.reason}`;
    case 'capped':
      return `the run was stopped at a cap (${outcome.why})`;
    case 'answered':
      return 'the run answered';
  }
}
