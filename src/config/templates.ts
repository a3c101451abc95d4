/** Liquid for skills: strict about filters and tags, forgiving about variables, and closed to the file system. */
import { Liquid, LiquidError, type Template } from 'liquidjs';
import { registerWordFilters } from './word-filters.ts';

export type Parsed =
  | { kind: 'template'; render(context: object): string }
  /** `line` counts from the start of the template's text */
  | { kind: 'wrong'; line: number; problem: string };

export class Templates {
  readonly #engine: Liquid;
  readonly #partials: Readonly<Record<string, string>>;

  /** `partials`: name → text, for `{% include 'name' %}` */
  constructor(partials: Readonly<Record<string, string>>) {
    this.#partials = partials;
    // With `templates` given, the engine never looks for a file.
    this.#engine = new Liquid({ strictFilters: true, strictVariables: false, templates: { ...partials } });
    registerWordFilters(this.#engine);
  }

  parse(text: string): Parsed {
    const missing = this.#missingPartial(text);
    if (missing !== null) return missing;
    try {
      const parsed: Template[] = this.#engine.parse(text);
      return { kind: 'template', render: (context) => String(this.#engine.renderSync(parsed, context)) };
    } catch (error) {
      if (!LiquidError.is(error)) throw error;
      const [line] = error.token.getPosition();
      return {
        kind: 'wrong',
        line: line ?? 1,
        problem: error.message.replace(/,? (file:.*, )?line:\d+, col:\d+$/, ''),
      };
    }
  }

  /** The engine resolves partials while it renders, which is too late to tell the operator. */
  #missingPartial(text: string): Parsed | null {
    for (const use of text.matchAll(/\{%-?\s*(?:include|render)\s+['"]([^'"]+)['"]/g)) {
      if (use[1]! in this.#partials) continue;
      const line = text.slice(0, use.index).split('\n').length;
      return { kind: 'wrong', line, problem: `there is no partial "${use[1]}"` };
    }
    return null;
  }
}
