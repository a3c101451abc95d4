/**
 * Several cases of a table in one run: what none of them may do, all of them together may not do either. Each run costs a
 * start of the CLI. `EACH=1` runs every case by itself, which tells the guilty one.
 */
type Settings = { [key: string]: unknown };

export type Case = [name: string, settings: Settings];

/** Cases that say something about the same key stay apart, because one would hide the other. */
export function together(cases: Case[]): Case[] {
  if (process.env.EACH !== undefined) return cases;
  const groups: { names: string[]; settings: Settings }[] = [];
  for (const [name, settings] of cases) {
    const group = groups.find((g) => !meet(g.settings, settings));
    if (group === undefined) groups.push({ names: [name], settings });
    else {
      group.names.push(name);
      group.settings = merged(group.settings, settings);
    }
  }
  return groups.map(({ names, settings }) => [names.join(' + '), settings]);
}

function meet(a: Settings, b: Settings): boolean {
  return Object.keys(a).some((key) => {
    const [ours, theirs] = [a[key], b[key]];
    return key in b && !(isObject(ours) && isObject(theirs) && !meet(ours, theirs));
  });
}

function merged(a: Settings, b: Settings): Settings {
  const result = { ...a };
  for (const [key, value] of Object.entries(b)) {
    const ours = result[key];
    result[key] = isObject(ours) && isObject(value) ? merged(ours, value) : value;
  }
  return result;
}

function isObject(value: unknown): value is Settings {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
