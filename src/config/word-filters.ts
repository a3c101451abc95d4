/** Liquid's own filters for texts that carry their author: the result of a filter carries the same author. */
import type { Liquid } from 'liquidjs';
import { fenced, oneLine } from './fence.ts';
import { Words } from './words.ts';

type Filter = Liquid['filters'][string];

export function registerWordFilters(engine: Liquid): void {
  for (const [name, filter] of Object.entries(engine.filters)) {
    engine.registerFilter(name, keepingVoice(filter));
  }
  engine.registerFilter('fenced', (text: unknown, label: unknown) =>
    text instanceof Words ? text.fenced(label) : fenced(text, label),
  );
  engine.registerFilter('one_line', (text: unknown) =>
    text instanceof Words ? text.oneLine() : oneLine(text),
  );
}

/**
 * Filters that are generators work on lists. They get the text together with its label, and cannot separate the two.
 */
function keepingVoice(filter: Filter): Filter {
  const own = typeof filter === 'function' ? filter : filter.handler;
  const handler: typeof own = function (this: unknown, ...given: unknown[]): unknown {
    const words = given.filter((one) => one instanceof Words);
    const call = own as (...values: unknown[]) => unknown;
    // guard: voices: filters keep the voice
    if (words.length === 0) return call.apply(this, given);
    if (isGenerator(own))
      return call.apply(
        this,
        given.map((one) => (one instanceof Words ? String(one) : one)),
      );
    const answer = call.apply(
      this,
      given.map((one) => (one instanceof Words ? one.text : one)),
    );
    // What is made of several texts carries the voice of the least trusted one.
    const least = words.find((one) => !one.trusted) ?? words[0]!;
    const kind = words.every((one) => one.kind === 'login') ? 'login' : 'text';
    const keep = (text: unknown) =>
      typeof text === 'string' ? least.changed(text, words.length === 1 ? least.kind : kind) : text;
    return Array.isArray(answer) ? answer.map(keep) : keep(answer);
  } as typeof own;
  return typeof filter === 'function' ? handler : { ...filter, handler };
}

function isGenerator(filter: unknown): boolean {
  return Object.prototype.toString.call(filter) === '[object GeneratorFunction]';
}
