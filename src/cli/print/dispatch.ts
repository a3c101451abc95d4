/** A dispatch in lines: how it went, what it did outside, where continuity broke. */
import { count, oneLine, type Paint, plain, showDuration, showTime, type Tone } from '../../terminal-text.ts';
import type {
  DispatchView,
  EffectView,
  IncidentView,
  SetUpView,
  VersionsView,
} from '../../views/dispatches.ts';
import type { DispatchState } from '../../vocabulary.ts';
import { columns, indent } from './columns.ts';
import { logLines } from './layers.ts';

export function renderDispatch(d: DispatchView, paint: Paint = plain): string[] {
  const facts = [
    ['times', showTimes(d)],
    ...(d.session === null
      ? []
      : [['session', `${d.session}${d.continuity === null ? '' : `, ${showContinuity(d)}`}`]]),
    ...(d.model === null ? [] : [['model', showModel(d, d.model)]]),
    ...(d.versions === null ? [] : [['versions', showVersions(d.versions)]]),
    ...(d.attachedBy === null ? [] : [['terminal', `${oneLine(d.attachedBy, 60)} was attached`]]),
    ...(d.setUp === null ? [] : showSetUp(d.setUp)),
    ...(d.answer === null ? [] : [['answer', oneLine(d.answer, 110)]]),
    ...d.effects.map((e) => ['effect', showEffect(e)]),
    ...d.incidents.map((i) => ['incident', showIncident(i)]),
  ];
  return [`dispatch ${d.id}: ${showState(d, paint)}`, ...indent(columns(facts))];
}

const DISPATCH_TONES = {
  queued: 'waiting',
  running: 'active',
  succeeded: 'good',
  unposted: 'bad',
  failed: 'bad',
  interrupted: 'waiting',
  cancelled: 'quiet',
  parked: 'waiting',
} as const satisfies Record<DispatchState, Tone>;

function showState(d: DispatchView, paint: Paint): string {
  const attempts = d.attempt > 1 ? `, attempt ${d.attempt}` : '';
  return `${paint(DISPATCH_TONES[d.state], d.state)}${attempts}${d.reason === null ? '' : `: ${oneLine(d.reason)}`}`;
}

function showContinuity(d: DispatchView): string {
  const history = d.historyMessages === null ? '' : ` with ${count(d.historyMessages, 'message')} of history`;
  return `${d.continuity}${history}`;
}

function showSetUp({ outcome, key, text, ms, logEnd }: SetUpView): string[][] {
  const layer = key === null ? '' : ` (layer ${key.slice(0, 12)})`;
  return [['set-up', `${outcome}${layer} after ${showDuration(ms)}: ${oneLine(text)}`], ...logLines(logEnd)];
}

function showModel({ formerModel }: DispatchView, model: string): string {
  const before = formerModel === null ? '' : `, where ${oneLine(formerModel, 60)} had answered before`;
  return `${oneLine(model, 60)}${before}`;
}

/** Long enough to see whether two runs had the same. */
const DIGEST_SHOWN = 8;

function showVersions({ skill, flow, instructions }: VersionsView): string {
  const content = (what: string, { name, digest }: VersionsView['skill']) =>
    `${what} ${oneLine(name, 60)}${digest === null ? '' : ` ${digest.slice(0, DIGEST_SHOWN)}`}`;
  return `${content('skill', skill)}, ${content('flow', flow)}, instructions ${instructions.slice(0, DIGEST_SHOWN)}`;
}

function showTimes(d: DispatchView): string {
  if (d.startedAt === null) return `created ${showTime(d.createdAt)}, due ${showTime(d.dueAt)}`;
  const worker = d.worker === null ? '' : ` on ${oneLine(d.worker, 40)}`;
  if (d.endedAt === null) return `started ${showTime(d.startedAt)}${worker}`;
  const took = showDuration(Date.parse(d.endedAt) - Date.parse(d.startedAt));
  return `started ${showTime(d.startedAt)}${worker}, took ${took}`;
}

function showEffect(e: EffectView): string {
  const link = linkOf(e.result);
  const attempts = e.attempts > 1 ? ` after ${count(e.attempts, 'attempt')}` : '';
  return `${e.kind} ${e.state}${attempts}${link === null ? '' : `: ${oneLine(link)}`}`;
}

/** What a person can open or read of a stored result: a refusal is a string, the rest are objects by kind. */
function linkOf(result: unknown): string | null {
  if (typeof result === 'string') return result;
  if (typeof result !== 'object' || result === null) return null;
  const fields = result as Record<string, unknown>;
  if (typeof fields.number === 'number') return `#${fields.number}`;
  const shown = [fields.url, fields.htmlUrl, fields.reason, fields.sha, fields.text].find(
    (v) => typeof v === 'string',
  );
  return (shown as string | undefined) ?? null;
}

export function showIncident(i: IncidentView): string {
  return `${showTime(i.at)} session ${i.session} ${oneLine(i.rung, 40)}: ${oneLine(i.reason)}`;
}
