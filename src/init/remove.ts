/** Takes away what the record says that `init` made, and nothing else; what people changed since stays, and is named. */
import { existsSync, readFileSync, rmdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ForgeMissing } from '../errors.ts';
import type { ForgeSetup, HookPlace } from '../forges/setup.ts';
import { withoutForge } from './configuration.ts';
import { placeName } from './plan.ts';
import { writePrivately } from './private-files.ts';
import { type InitRecord, type Made, sha256 } from './record.ts';

export interface Removal {
  /** what will be, or was, taken away: clauses */
  takes: string[];
  /** what stays although init had to do with it, and why: sentences */
  leaves: string[];
}

export function planRemoval(made: Made, at: { file: string; forge: string }): Removal {
  const configuration = configurationFate(made, at);
  return {
    takes: [
      ...made.hooks.map(({ place, url }) => `the hook of ${placeName(place)} to ${url}`),
      ...made.members.map(({ repository, login }) => `${login} as a collaborator of ${repository}`),
      ...made.labels.map(({ repository, name }) => `the label ${name} of ${repository}`),
      ...made.accounts.map(
        ({ login }) => `the account ${login} with its tokens (what it wrote stays, under the name Ghost)`,
      ),
      ...(configuration.kind === 'leave' ? [] : [configuration.says]),
      ...made.secrets.map((path) => `the file ${path}`),
    ],
    leaves: configuration.kind === 'leave' && configuration.says !== '' ? [configuration.says] : [],
  };
}

type ConfigurationFate =
  | { kind: 'delete'; says: string }
  /** `says` may be '' */
  | { kind: 'leave'; says: string }
  | { kind: 'write'; says: string; text: string };

function configurationFate({ configuration }: Made, at: { file: string; forge: string }): ConfigurationFate {
  const { file, forge } = at;
  if (configuration === null || !existsSync(file)) return { kind: 'leave', says: '' };
  const text = readFileSync(file, 'utf8');
  // guard: init: a changed configuration is not removed
  if (sha256(text) !== configuration.sha256) {
    return { kind: 'leave', says: `${file} was changed since, and stays as it is.` };
  }
  if (configuration.how === 'written') return { kind: 'delete', says: `the file ${file}` };
  const rest = configuration.how === 'added' ? withoutForge(text, forge) : null;
  if (rest !== null) return { kind: 'write', says: `the forge ${forge} in ${file}`, text: rest };
  return { kind: 'leave', says: `${file} keeps what init added to its forge ${forge}.` };
}

export async function remove(
  name: string,
  { file, setup, record }: { file: string; setup: ForgeSetup; record: InitRecord },
): Promise<void> {
  const made = record.of(name);
  if (made === null) return;
  const configuration = configurationFate(made, { file, forge: name });
  for (const hook of [...made.hooks]) {
    await removeHook(setup, hook);
    drop(made.hooks, hook, record);
  }
  for (const member of [...made.members]) {
    await inRepository(setup, member.repository, (repository) =>
      setup.removeMember(repository, member.login),
    );
    drop(made.members, member, record);
  }
  for (const label of [...made.labels]) {
    await inRepository(setup, label.repository, async (repository) => {
      const found = (await setup.listLabels(repository)).find((one) => one.name === label.name);
      if (found !== undefined) await setup.deleteLabel(repository, found.id);
    });
    drop(made.labels, label, record);
  }
  for (const account of [...made.accounts]) {
    await setup.deleteAccount(account.login);
    drop(made.accounts, account, record);
  }
  if (configuration.kind === 'delete') rmSync(file, { force: true });
  if (configuration.kind === 'write') writePrivately(file, configuration.text);
  for (const path of made.secrets) rmSync(join(dirname(file), path), { force: true });
  removeIfEmpty(join(dirname(file), 'secrets'));
  record.forget(name);
}

function drop<T>(list: T[], entry: T, record: InitRecord): void {
  list.splice(list.indexOf(entry), 1);
  record.save();
}

/** A repository that is gone has taken its members, labels and hooks with it. */
async function inRepository(
  setup: ForgeSetup,
  fullName: string,
  work: (repository: Parameters<ForgeSetup['addMember']>[0]) => Promise<void>,
): Promise<void> {
  try {
    await work((await setup.findRepository(fullName)).repository);
  } catch (error) {
    if (!(error instanceof ForgeMissing)) throw error;
  }
}

/** One whose making was not seen to end is looked for by its address. */
async function removeHook(setup: ForgeSetup, { place, url, id }: Made['hooks'][number]): Promise<void> {
  const take = async (at: HookPlace) => {
    const found = id === null ? (await setup.listHooksAt(at)).filter((hook) => hook.url === url) : [{ id }];
    for (const hook of found) await setup.deleteHookAt(at, hook.id);
  };
  if (place.level !== 'repository') await take(place);
  else {
    await inRepository(setup, place.repository, (repository) => take({ level: 'repository', repository }));
  }
}

function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // Something else is in it, or it is gone.
  }
}
