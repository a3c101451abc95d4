/** Shapes what a probe in an agent's container answers. */
import type { AgentConfig } from '../../config/config.ts';
import type { Check } from '../check.ts';

export type ProbeCheck = 'layout' | 'earlier-session' | 'shell' | 'transcript' | 'resume' | 'push' | 'live';

type Named = Pick<AgentConfig, 'name'>;

export function passed(agent: Named, check: ProbeCheck, evidence: string): Check<ProbeCheck> {
  return { check, severity: 'ok', subject: `agent ${agent.name}`, problem: '', evidence, remedy: '' };
}

/** For what cannot be tried here. Smoke does not fail because of it. */
export function skipped(agent: Named, check: ProbeCheck, evidence: string): Check<ProbeCheck> {
  return { ...passed(agent, check, evidence), severity: 'note' };
}

export function failed(
  agent: Named,
  check: ProbeCheck,
  words: Pick<Check, 'problem' | 'evidence' | 'remedy' | 'fault'>,
): Check<ProbeCheck> {
  return { check, severity: 'broken', subject: `agent ${agent.name}`, ...words };
}
