/**
 * What claude-hooks.yaml is to say, put into the text that is there. Only additions are made: comments and everything else
 * stay, and where the file says something else, that is told and nothing is written. Pure.
 */
import { type Document, isMap, parseDocument } from 'yaml';
import { type Environment, expand } from '../config/environment.ts';
import { sameLogin } from '../logins.ts';
import { secretPaths } from './private-files.ts';
import type { Wish } from './wish.ts';

export type ConfigurationChange =
  | { kind: 'same' }
  /** `how`: a new file, a new forge in a file that was there, or more in a forge that was there */
  | { kind: 'change'; how: 'written' | 'added' | 'extended'; text: string }
  | { kind: 'differs'; differences: Difference[] }
  | { kind: 'unreadable'; problem: string };

export interface Difference {
  path: string;
  is: string;
  wanted: string;
}

const HEAD = `# Written by \`claude-hooks init\`. It is yours now: change what you like, \`claude-hooks config check\` reads it.
# Every option: docs/configuration.md
`;

/** `text`: of the file that is there, null where there is none. */
export function changeConfiguration(
  text: string | null,
  wish: Wish,
  known: { kind: string; env: Environment },
): ConfigurationChange {
  if (text === null || text.trim() === '') {
    return { kind: 'change', how: 'written', text: newConfiguration(wish, known.kind) };
  }
  const document = parseDocument(text);
  if (document.errors.length > 0 || !isMap(document.contents)) {
    const problem = document.errors[0]?.message.split('\n')[0] ?? 'it is not a mapping';
    return { kind: 'unreadable', problem };
  }
  const differences: Difference[] = [];
  const isKnown = document.hasIn(['forges', wish.forge]);
  const before = document.toString({ lineWidth: 0 });
  addPublicUrl(document, wish, { env: known.env, differences });
  if (isKnown) extendForge(document, wish, { ...known, differences });
  else document.setIn(['forges', wish.forge], document.createNode(forgeEntry(wish, known.kind)));
  if (differences.length > 0) return { kind: 'differs', differences };
  const changed = document.toString({ lineWidth: 0 });
  // guard: init: a second run changes nothing
  if (changed === before) return { kind: 'same' };
  return { kind: 'change', how: isKnown ? 'extended' : 'added', text: changed };
}

/** Without the forge that `added` put there; null where the text is no mapping. */
export function withoutForge(text: string, forge: string): string | null {
  const document = parseDocument(text);
  if (document.errors.length > 0 || !isMap(document.contents)) return null;
  document.deleteIn(['forges', forge]);
  return document.toString({ lineWidth: 0 });
}

function newConfiguration(wish: Wish, kind: string): string {
  const { publicUrl } = wish.hook;
  const key =
    wish.modelKeyFile === null ? { api_key: `\${ANTHROPIC_API_KEY}` } : { api_key_file: wish.modelKeyFile };
  const document = parseDocument('');
  document.contents = document.createNode({
    ...(publicUrl === null ? {} : { server: { public_url: publicUrl } }),
    model: key,
    forges: { [wish.forge]: forgeEntry(wish, kind) },
  }) as typeof document.contents;
  return `${HEAD}${document.toString({ lineWidth: 0 })}`;
}

function forgeEntry(wish: Wish, kind: string) {
  const paths = secretPaths(wish.forge);
  return {
    kind,
    url: wish.url,
    ...(wish.hook.level === 'none' ? { intake: 'poll' } : { webhook_secret_file: paths.webhook }),
    repositories: [...wish.repositories],
    accounts: Object.fromEntries(
      wish.agents.map(({ agent, login }) => [agent, { login, token_file: paths.token(agent) }]),
    ),
  };
}

interface Comparing {
  env: Environment;
  differences: Difference[];
}

function addPublicUrl(document: Document, { hook }: Wish, comparing: Comparing): void {
  if (hook.publicUrl === null) return;
  compareOrSet(document, { path: ['server', 'public_url'], wanted: hook.publicUrl }, comparing);
}

function extendForge(document: Document, wish: Wish, comparing: Comparing & { kind: string }): void {
  const at = (...path: string[]) => ['forges', wish.forge, ...path];
  const paths = secretPaths(wish.forge);
  compareOrSet(document, { path: at('kind'), wanted: comparing.kind }, comparing);
  compareOrSet(document, { path: at('url'), wanted: wish.url }, comparing);
  const hasSecret = document.hasIn(at('webhook_secret'));
  if (wish.hook.level !== 'none' && !hasSecret) {
    compareOrSet(document, { path: at('webhook_secret_file'), wanted: paths.webhook }, comparing);
  }
  addRepositories(document, wish, at('repositories'));
  for (const { agent, login } of wish.agents) {
    if (!document.hasIn(at('accounts', agent))) {
      const entry = document.createNode({ login, token_file: paths.token(agent) });
      document.setIn(at('accounts', agent), entry);
      continue;
    }
    compareOrSet(document, { path: at('accounts', agent, 'login'), wanted: login }, comparing);
    if (!document.hasIn(at('accounts', agent, 'token'))) {
      const path = at('accounts', agent, 'token_file');
      compareOrSet(document, { path, wanted: paths.token(agent) }, comparing);
    }
  }
}

function addRepositories(document: Document, { repositories }: Wish, path: string[]): void {
  const json = (document.toJS() as { forges: Record<string, { repositories?: unknown }> }).forges[path[1]!];
  const listed = Array.isArray(json?.repositories) ? json.repositories : [];
  const names = listed.map((entry) =>
    typeof entry === 'string' ? entry : String((entry as { name?: unknown } | null)?.name),
  );
  const missing = repositories.filter((wanted) => !names.some((name) => sameLogin(name, wanted)));
  if (missing.length === 0) return;
  if (listed.length === 0) document.setIn(path, document.createNode([...missing]));
  else for (const one of missing) document.addIn(path, one);
}

function compareOrSet(
  document: Document,
  { path, wanted }: { path: string[]; wanted: string },
  { env, differences }: Comparing,
): void {
  const is: unknown = document.getIn(path);
  if (is === undefined || is === null) {
    document.setIn(path, wanted);
    return;
  }
  const expansion = typeof is === 'string' ? expand(is, env) : null;
  const value = expansion !== null && 'text' in expansion ? expansion.text : String(is);
  // guard: init: what a person wrote is not overwritten
  if (value.replace(/\/+$/, '') !== wanted.replace(/\/+$/, '')) {
    differences.push({ path: path.join('.'), is: String(is), wanted });
  }
}

/** `-` and `+` lines of the part that differs. */
export function differenceOf(before: string | null, after: string): string[] {
  const [old, fresh] = [before?.split('\n') ?? [], after.split('\n')];
  let start = 0;
  while (start < old.length && start < fresh.length && old[start] === fresh[start]) start += 1;
  let end = 0;
  const most = Math.min(old.length, fresh.length) - start;
  while (end < most && old[old.length - 1 - end] === fresh[fresh.length - 1 - end]) end += 1;
  return [
    ...old.slice(start, old.length - end).map((line) => `- ${line}`),
    ...fresh.slice(start, fresh.length - end).map((line) => `+ ${line}`),
  ].filter((line) => line.trim().length > 1);
}
