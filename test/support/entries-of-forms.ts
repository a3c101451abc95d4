/** The entries of a list of forms, and which of them a value has. An entry is a field of an object, or a kind of block. */
import type { Form } from '../../src/gateway/forms.ts';

export interface Entry {
  /** where it comes first: `messages[].content[](text).citations` */
  name: string;
  why: string | null;
  /** what it stands in */
  parent: Entry | null;
}

/** By the object that has it and the name it has there: what is used in two places is one entry. */
export class Entries {
  readonly #known = new Map<unknown, Map<string, Entry>>();
  readonly #met = new Set<Entry>();

  constructor(root: Form) {
    this.#learn(root, '', null);
  }

  get all(): Entry[] {
    return [...this.#known.values()].flatMap((named) => [...named.values()]);
  }

  wasMet(entry: Entry): boolean {
    return this.#met.has(entry);
  }

  /** In something that was not met, nothing can be. */
  couldBeMet({ parent }: Entry): boolean {
    return parent === null || (this.#met.has(parent) && this.couldBeMet(parent));
  }

  #learn(form: Form, path: string, parent: Entry | null): void {
    if (form.is === 'list') this.#learn(form.of, `${path}[]`, parent);
    if (form.is === 'textOrList') this.#learn(form.list, path, parent);
    const named = form.is === 'fields' ? form.fields : form.is === 'kinds' ? form.kinds : null;
    if (named === null || this.#known.has(named)) return;
    const entries = new Map<string, Entry>();
    this.#known.set(named, entries);
    for (const [name, one] of Object.entries(named) as [string, Form][]) {
      const place = form.is === 'kinds' ? `${path}(${name})` : path === '' ? name : `${path}.${name}`;
      const entry: Entry = { name: place, why: one.why ?? null, parent };
      entries.set(name, entry);
      this.#learn(one, place, entry);
    }
  }

  /** Only of values that fit. */
  meet(value: unknown, form: Form): void {
    if (form.is === 'list') for (const one of value as unknown[]) this.meet(one, form.of);
    if (form.is === 'textOrList' && Array.isArray(value)) this.meet(value, form.list);
    if (form.is === 'kinds') {
      const { type } = value as { type: string };
      this.#met.add(this.#known.get(form.kinds)!.get(type)!);
      this.meet(value, form.kinds[type]!);
    }
    if (form.is === 'fields') {
      for (const [name, one] of Object.entries(value as object)) {
        this.#met.add(this.#known.get(form.fields)!.get(name)!);
        this.meet(one, form.fields[name]!);
      }
    }
  }
}
