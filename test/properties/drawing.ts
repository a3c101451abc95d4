/** The arrows of docs/states.md: the drawing itself says which changes of state there may be. */
import { readFileSync } from 'node:fs';

const page = readFileSync(new URL('../../docs/states.md', import.meta.url), 'utf8');

export class Drawing {
  readonly #arrows = new Map<string, Set<string>>();

  /** `heading` as on the page, such as `Dispatch` */
  constructor(heading: string) {
    const section = page.split(/^## /m).find((part) => part.startsWith(`${heading}\n`)) ?? '';
    const diagram = /```mermaid\n([\s\S]*?)```/.exec(section)?.[1] ?? '';
    for (const [, from, to] of diagram.matchAll(/^\s*(\S+) --> (\S+?)(?::.*)?$/gm)) {
      this.#arrows.set(from!, (this.#arrows.get(from!) ?? new Set()).add(to!));
    }
    if (this.#arrows.size === 0) throw new Error(`docs/states.md draws no machine under ${heading}`);
  }

  /** One arrow, or none at all: a row that stays in its state needs none. */
  allows(from: string, to: string): boolean {
    return from === to || (this.#arrows.get(from)?.has(to) ?? false);
  }

  /** Any number of arrows, for a look at the rows that comes after several changes. */
  leads(from: string, to: string): boolean {
    const reached = new Set([from]);
    for (const state of reached) for (const next of this.#arrows.get(state) ?? []) reached.add(next);
    return reached.has(to);
  }

  /** Nothing comes after it. */
  isFinal(state: string): boolean {
    return this.#arrows.get(state)?.has('[*]') ?? false;
  }
}
