/** Whether something waits for itself, by way of others. Pure. */

/** What each node waits for; one without an entry waits for nothing. */
export type Edges = ReadonlyMap<string, readonly string[]>;

/**
 * A shortest way from `start` back to itself, as the nodes on it from `start` on, without `start` at its end; null = there is
 * none. Breadth first, so each node is looked at once.
 */
export function cycleThrough(start: string, edges: Edges): string[] | null {
  const cameFrom = new Map<string, string>();
  const queue = [start];
  for (let node = queue.shift(); node !== undefined; node = queue.shift()) {
    for (const next of edges.get(node) ?? []) {
      // guard: dependencies: a cycle is seen
      if (next === start) return wayTo(node, { start, cameFrom });
      if (cameFrom.has(next)) continue;
      cameFrom.set(next, node);
      queue.push(next);
    }
  }
  return null;
}

function wayTo(end: string, { start, cameFrom }: { start: string; cameFrom: Map<string, string> }): string[] {
  const way = [end];
  while (way[0] !== start) way.unshift(cameFrom.get(way[0]!)!);
  return way;
}
