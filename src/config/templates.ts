/**
 * Liquid for skills: unknown filters and tags are errors, unknown variables are empty, and no file can be read.
 */
import { createHash } from 'node:crypto';
import { Liquid, LiquidError, type Template } from 'liquidjs';
import { registerWordFilters } from './word-filters.ts';

export type Parsed =
  | { kind: 'template'; render(context: object): string; reads: readonly Read[] }
  /** `line` counts from the start of the template's text */
  | { kind: 'wrong'; line: number; problem: string };

/** A variable that a template reads and does not set itself. */
export interface Read {
  path: readonly string[];
  /** line in the template's text, or in the partial's */
  line: number;
  /** the partial it stands in; null = the text itself */
  partial: string | null;
}

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

  /** SHA-256 of a text together with all partials: it need not be known which of them it includes. */
  digest(text: string): string {
    return createHash('sha256')
      .update(JSON.stringify([text, this.#partials]))
      .digest('hex');
  }

  parse(text: string): Parsed {
    const missing = this.#missingPartial(text);
    if (missing !== null) return missing;
    try {
      const parsed: Template[] = this.#engine.parse(text);
      return {
        kind: 'template',
        render: (context) => String(this.#engine.renderSync(parsed, context)),
        reads: this.#reads(parsed),
      };
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

  #reads(parsed: Template[]): Read[] {
    const { globals } = this.#engine.analyzeSync(parsed, { partials: true });
    return Object.values(globals)
      .flat()
      .map(({ segments, location }) => ({
        path: namesOf(segments),
        line: location.row,
        partial: location.file ?? null,
      }));
  }

  /**
   * The engine resolves partials only while it renders, which is too late to tell the operator of a missing one.
   */
  #missingPartial(text: string): Parsed | null {
    for (const use of text.matchAll(/\{%-?\s*(?:include|render)\s+['"]([^'"]+)['"]/g)) {
      if (use[1]! in this.#partials) continue;
      const line = text.slice(0, use.index).split('\n').length;
      return { kind: 'wrong', line, problem: `there is no partial "${use[1]}"` };
    }
    return null;
  }
}

/** The names of a path, up to an index of a list or a name that is only known at run time. */
function namesOf(segments: readonly unknown[]): string[] {
  const end = segments.findIndex((segment) => typeof segment !== 'string');
  return segments.slice(0, end === -1 ? undefined : end).map(String);
}
