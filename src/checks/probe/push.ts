/** A push through the relay, to a scratch repository of our own: the agent's side and the worker's are the real ones. */
import type { AgentConfig } from '../../config/config.ts';
import type { Checkout, Remote, Workdir } from '../../workdir/port.ts';
import type { Check } from '../check.ts';
import { failed, type ProbeCheck, passed, skipped } from './probe-check.ts';
import { PUSH } from './script.ts';
import { branchOf, IDENTITY, type ProbeDeps, type Stage, scratchHead } from './stage.ts';
import { runTurn } from './turn.ts';

/** Opens the worker's side of the relay for one conversation, with the product's own policy. */
export type PushDoor = (at: {
  workdir: Workdir;
  checkout: Checkout;
  agent: AgentConfig;
  remote: Remote;
  branch: { name: string; base: string };
  identity: { name: string; email: string };
}) => Promise<{ close(): Promise<void> }>;

export async function checkPush(
  deps: ProbeDeps,
  stage: Stage,
  door: PushDoor | null,
): Promise<Check<ProbeCheck>> {
  const { agent } = stage;
  if (door === null) return skipped(agent, 'push', 'no relay is open here');
  const branch = branchOf(stage);
  const open = await door({
    workdir: deps.workdir,
    checkout: stage.checkout,
    agent,
    identity: IDENTITY,
    remote: { url: stage.scratch, token: null },
    branch: { name: branch, base: 'main' },
  });
  const turn = await runTurn(deps, stage, { prompt: PUSH, tools: ['Bash'], maxTurns: 10 }).finally(() =>
    open.close(),
  );
  const arrived = await scratchHead(deps.config.state, stage, branch);
  if (arrived !== null) return passed(agent, 'push', `${branch} arrived (${arrived.slice(0, 8)})`);
  return failed(agent, 'push', {
    problem: 'git push did not come through',
    evidence: lastWords(JSON.stringify(turn.requests.at(-1)?.messages ?? [])),
    remedy: 'See that the relay’s folders are mounted, and that the image has git (`claude-hooks doctor`).',
  });
}

/** What git said inside, as far as it stands in the last answer of the tool. */
function lastWords(messages: string): string {
  const at = messages.lastIndexOf('"tool_result"');
  const said = at === -1 ? 'the command did not run' : messages.slice(at, at + 600);
  return said.replace(/\\n/g, ' ').replace(/\s+/g, ' ').slice(0, 400);
}
