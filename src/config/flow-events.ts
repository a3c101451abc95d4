/**
 * Finds conditions and skills that read a field which their events never have: such a condition never holds, such a
 * skill prints nothing.
 */
import type { ForgeEventName } from '../vocabulary.ts';
import type { Flow } from './config.ts';
import { eventsWith, fieldOf, isAlwaysNull } from './event-fields.ts';
import type { Loading } from './loading.ts';

export function checkConditionFields(flows: readonly Flow[], loading: Loading): void {
  for (const flow of flows.filter(({ enabled }) => enabled)) {
    const read = new Set(flow.clauses.flatMap(({ paths }) => paths.flatMap((path) => fieldIn(path) ?? [])));
    for (const field of read) checkField(flow, field, loading);
    for (const event of flow.on.filter((name) => isAlwaysNull(name, 'item'))) {
      loading.warnings.push(
        `${flow.file}: ${flow.name}.on: ${event} is about no issue or pull request, so it wakes nobody. Take it out; pull.synchronized tells of new commits of a pull request.`,
      );
    }
  }
}

function checkField(flow: Flow, field: string, loading: Loading): void {
  const absent = flow.on.filter((event) => isAlwaysNull(event, field));
  if (absent.length === 0) return;
  const texts = flow.clauses.map(({ text }) => text);
  const asked = texts.some((text) => asksForNull(field).test(text));
  if (absent.length < flow.on.length) {
    if (asked || texts.some((text) => /\bevent\.(name|item\.kind)\b/.test(text))) return;
    loading.warnings.push(
      `${flow.file}: ${flow.name}.if: event.${field} is always null for ${absent.join(', ')}, so the flow never matches there. Take those out of on, or begin with event.${field} == null || ….`,
    );
  } else if (asked) {
    loading.warnings.push(
      `${flow.file}: ${flow.name}.if: event.${field} is always null for ${absent.join(', ')}, so asking for it decides nothing. Take it out of the condition.`,
    );
  } else {
    loading.problems.push({
      file: flow.file,
      path: `${flow.name}.if`,
      value: `event.${field}`,
      problem: `is always null for ${absent.join(', ')}, so the flow never matches`,
      remedy: `Take it out of the condition, or let the flow look at ${listed(eventsWith(field))}.`,
    });
  }
}

/** Matches a condition that checks whether the field is null. */
function asksForNull(field: string): RegExp {
  const path = `event\\.${field}`;
  return new RegExp(`${path}\\s*[!=]=\\s*null|null\\s*[!=]=\\s*${path}\\b|has\\(\\s*${path}\\b`);
}

function fieldIn(path: string): string | null {
  return fieldOf(path.split('.'))?.field ?? null;
}

export interface SkillReads {
  file: string;
  /** what the skill's own text reads, without its partials */
  reads: readonly { path: readonly string[]; line: number }[];
}

/** A skill that several flows name may read a field that the events of only one of them have. */
export function checkSkillFields(
  flows: readonly Flow[],
  skills: ReadonlyMap<string, SkillReads>,
  loading: Loading,
): void {
  for (const [name, { file, reads }] of skills) {
    const events = flows.filter((flow) => flow.enabled && flow.skill === name).flatMap(({ on }) => on);
    if (events.length === 0) continue;
    for (const { path, line } of reads) {
      const found = fieldOf(path);
      if (found === null || !found.inside || !events.every((event) => isAlwaysNull(event, found.field)))
        continue;
      // With `{% if event.review %}` around it, the skill allows for a field that is missing.
      if (reads.some((other) => other.path.length === 2 && other.path[1] === found.field)) continue;
      loading.problems.push({
        file,
        line,
        path: path.join('.'),
        value: null,
        problem: `is always empty for ${listed(events)}, on which alone this skill is used`,
        remedy: `Take it out, or put it between {% if event.${found.field} %} and {% endif %}.`,
      });
    }
  }
}

function listed(events: readonly ForgeEventName[]): string {
  return [...new Set(events)].join(', ');
}
