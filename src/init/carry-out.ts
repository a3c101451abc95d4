/** Does the steps of a plan, one after another. Each is recorded before and after, so that a run that broke off goes on. */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ForgeRefused } from '../errors.ts';
import { findKit } from '../forges/registry.ts';
import type { ForgeSetup, HookPlace } from '../forges/setup.ts';
import { sameLogin } from '../logins.ts';
import { isSamePlace, type Step } from './plan.ts';
import { readSecret, secretPaths, writePrivately } from './private-files.ts';
import { type InitRecord, type Made, type RecordedPlace, sha256 } from './record.ts';
import { InitRefused } from './refusal.ts';
import type { Wish } from './wish.ts';

export interface Doing {
  wish: Wish;
  kind: string;
  setup: ForgeSetup;
  record: InitRecord;
  /** after each step */
  done: (step: Step) => void;
}

/** Throws InitRefused, or the forge's refusal, at the step that failed; those before it are done and recorded. */
export async function carryOut(steps: readonly Step[], doing: Doing): Promise<void> {
  const made = doing.record.begin(doing.wish.forge, { url: doing.wish.url, kind: doing.kind });
  for (const step of steps) {
    await carry(step, doing, made);
    doing.done(step);
  }
}

async function carry(step: Step, doing: Doing, made: Made): Promise<void> {
  switch (step.do) {
    case 'account':
      return await makeAccount(step, doing, made);
    case 'keep-token':
      return keepSecret(secretPaths(doing.wish.forge).token(step.agent), step.token, { doing, made });
    case 'member': {
      const { repository, login } = step;
      addTo(made.members, { repository: repository.fullName, login }, doing);
      await doing.setup.addMember(repository, login);
      return;
    }
    case 'label': {
      addTo(made.labels, { repository: step.repository.fullName, name: step.label.name }, doing);
      await doing.setup.createLabel(step.repository, step.label);
      return;
    }
    case 'hook':
      return await makeHook(step, doing, made);
    case 'configuration': {
      const { how, text } = step.change;
      // `extended` does not undo an earlier `written`: that file is still all of ours.
      const first = made.configuration?.how ?? how;
      made.configuration = { how: first, sha256: sha256(text) };
      doing.record.save();
      writePrivately(doing.wish.file, text);
    }
  }
}

function addTo<T>(list: T[], entry: T, { record }: Doing): void {
  const text = JSON.stringify(entry);
  if (!list.some((one) => JSON.stringify(one) === text)) list.push(entry);
  record.save();
}

async function makeAccount(
  { agent, login, mail, isNew }: Extract<Step, { do: 'account' }>,
  doing: Doing,
  made: Made,
): Promise<void> {
  const { setup, wish } = doing;
  // It opens nothing for anybody: it is used for the next request, and forgotten.
  const password = `${randomBytes(24).toString('base64url')}aA1!`;
  if (isNew) {
    if (!made.accounts.some((one) => sameLogin(one.login, login))) made.accounts.push({ login, mail });
    doing.record.save();
    const account = { login, mail, password, fullName: `${agent} (claude-hooks)` };
    const outcome = await setup.createAccount(account);
    if (outcome.kind === 'refused') {
      made.accounts = made.accounts.filter((one) => !sameLogin(one.login, login));
      doing.record.save();
      throw new InitRefused({
        code: 'account-refused',
        problem: `the forge does not make the account ${login}. It says: ${outcome.words}`,
        remedy: `Where the mail address ${mail} is another account's, give --mail-domain; where the login is not allowed, --agents ${agent}=<login>.`,
      });
    }
  } else await setup.setPassword(login, password);
  const name = `claude-hooks-${randomBytes(4).toString('hex')}`;
  const token = await makeToken(doing, { agent, login, password, name });
  keepSecret(secretPaths(wish.forge).token(agent), token, { doing, made });
}

async function makeToken(
  { setup, kind }: Doing,
  { agent, ...account }: { agent: string; login: string; password: string; name: string },
): Promise<string> {
  try {
    return await setup.createToken(account);
  } catch (error) {
    if (!(error instanceof ForgeRefused) || ![401, 403].includes(error.status)) throw error;
    throw new InitRefused({
      code: 'passwords-not-taken',
      problem: `the forge does not let ${account.login} make a token with its password. It says: ${error.message}`,
      remedy: `Make a token for ${account.login} with ${findKit(kind)!.tokens.scopes} on its page, and run init again with --token-file ${agent}=<file>. (Forges refuse this where basic authentication is switched off or two factors are required.)`,
    });
  }
}

function keepSecret(path: string, secret: string, { doing, made }: { doing: Doing; made: Made }): void {
  const file = join(dirname(doing.wish.file), path);
  addTo(made.secrets, path, doing);
  writePrivately(file, `${secret}\n`);
}

async function makeHook(
  { place, url, replaces }: Extract<Step, { do: 'hook' }>,
  doing: Doing,
  made: Made,
): Promise<void> {
  const path = secretPaths(doing.wish.forge).webhook;
  const file = join(dirname(doing.wish.file), path);
  if (!existsSync(file)) keepSecret(path, randomBytes(32).toString('hex'), { doing, made });
  const secret = readSecret(file);
  if (secret === null) throw new Error(`${file} is empty. Delete it and run init again.`);
  if (replaces !== null) await doing.setup.deleteHookAt(place, replaces);
  made.hooks = made.hooks.filter((one) => !isSamePlace(one.place, place));
  const entry: Made['hooks'][number] = { place: recordedPlace(place), url, id: null };
  addTo(made.hooks, entry, doing);
  const hook = await doing.setup.createHookAt(place, { url, secret });
  entry.id = hook.id;
  doing.record.save();
}

function recordedPlace(place: HookPlace): RecordedPlace {
  return place.level === 'repository'
    ? { level: 'repository', repository: place.repository.fullName }
    : place;
}
