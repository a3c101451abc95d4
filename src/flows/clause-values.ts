/** The values that a condition saw, short enough to store with every delivery. */

const LONGEST_TEXT = 200;
const LONGEST_LIST = 20;

/** Values by dotted path; a path that leads nowhere is null. */
export function valuesOf(paths: readonly string[], context: object): Record<string, unknown> {
  return Object.fromEntries(paths.map((path) => [path, shortened(valueAt(path, context))]));
}

function valueAt(path: string, context: object): unknown {
  let value: unknown = context;
  for (const key of path.split('.')) {
    if (typeof value !== 'object' || value === null) return null;
    value = (value as Record<string, unknown>)[key];
  }
  return value ?? null;
}

function shortened(value: unknown): unknown {
  if (typeof value === 'string') return cut(value);
  if (Array.isArray(value)) {
    const shown = value.slice(0, LONGEST_LIST).map(shortened);
    return value.length > LONGEST_LIST ? [...shown, `… ${value.length - LONGEST_LIST} more`] : shown;
  }
  return typeof value === 'object' && value !== null ? cut(JSON.stringify(value)) : value;
}

function cut(text: string): string {
  return text.length <= LONGEST_TEXT ? text : `${text.slice(0, LONGEST_TEXT)}… (${text.length} characters)`;
}
