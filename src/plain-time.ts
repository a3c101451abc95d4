/** A time in a sentence for people: in UTC, because nobody knows where they are. Pure. */
export function plainTime(ms: number): string {
  const text = new Date(ms).toISOString();
  return `${text.slice(0, 10)} ${text.slice(11, 16)} UTC`;
}
