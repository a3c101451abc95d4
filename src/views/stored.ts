/** Stored values as every view shows them. Pure. */

/** RFC 3339 in UTC, or null: the form of a time in every view. */
export function timeOf(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}

/** Stored JSON, or null when the row has none or it does not parse: a view shows the rest all the same. */
export function storedJson(text: string | null): unknown {
  if (text === null) return null;
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
