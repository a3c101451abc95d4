/** `${NAME}` and `${NAME:-fallback}` inside configuration texts; `$${` writes a literal `${`. */

export type Environment = Readonly<Record<string, string | undefined>>;

export type Expansion =
  | { kind: 'plain'; text: string }
  | { kind: 'expanded'; text: string }
  | { kind: 'unset'; variable: string }
  | { kind: 'malformed' };

const REFERENCE = /\$?\$\{([^}]*)\}?/g;
const INSIDE = /^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s;

export function expand(text: string, env: Environment): Expansion {
  let failure: Expansion | null = null;
  let expanded = false;
  const result = text.replace(REFERENCE, (whole, inside: string) => {
    if (whole.startsWith('$${')) return whole.slice(1);
    const match = whole.endsWith('}') ? INSIDE.exec(inside) : null;
    if (match === null) {
      failure ??= { kind: 'malformed' };
      return whole;
    }
    const [, variable, fallback] = match as unknown as [string, string, string | undefined];
    const value = env[variable];
    expanded = true;
    // As in a shell, `:-` also replaces an empty value.
    if (fallback !== undefined) return value === undefined || value === '' ? fallback : value;
    if (value === undefined) failure ??= { kind: 'unset', variable };
    return value ?? whole;
  });
  return failure ?? { kind: expanded ? 'expanded' : 'plain', text: result };
}
