/** The options of `init` made into a wish; what is missing is asked for where somebody can answer. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { InvalidArgumentError } from 'commander';
import { NAME_PATTERN } from '../config/option-kinds.ts';
import { NotFound } from '../errors.ts';
import { type HookLevel, LABELS, usualMailDomain, type WantedAgent, type Wish } from '../init/wish.ts';
import type { Caller } from './caller.ts';
import { UsageError } from './failure.ts';

export interface InitOptions {
  url?: string;
  kind?: string;
  name: string;
  adminTokenFile?: string;
  repositories?: string[];
  agents?: string[];
  tokenFile?: string[];
  mailDomain?: string;
  hook: HookLevel;
  publicUrl?: string;
  modelKeyFile?: string;
  dryRun?: boolean;
  yes?: boolean;
  remove?: boolean;
  doctor: boolean;
  json?: boolean;
}

const TOKEN_VARIABLE = 'CLAUDE_HOOKS_ADMIN_TOKEN';
const REPOSITORY = /^[^/\s*]+\/([^/\s*]+|\*)$/;

export async function wishOf(
  options: InitOptions,
  { file, caller, shippedAgents }: { file: string; caller: Caller; shippedAgents: string[] },
): Promise<Wish> {
  const ask = (given: string | undefined, question: string, option: string) =>
    given !== undefined ? Promise.resolve(given) : asked(caller, question, option);
  if (!NAME_PATTERN.test(options.name)) {
    throw wrong(`--name ${options.name} is no name. Use lower-case letters, digits and dashes.`);
  }
  const url = address(await ask(options.url, 'Address of the forge, as in a browser', '--url'), '--url');
  const repositories =
    options.repositories ??
    (
      await asked(caller, 'Repositories, as owner/name or owner/*, with spaces between', '--repositories')
    ).split(/[\s,]+/);
  const odd = repositories.find((name) => !REPOSITORY.test(name));
  if (odd !== undefined) throw wrong(`--repositories ${odd}: give owner/name or owner/*.`);
  const publicUrl =
    options.hook === 'none'
      ? null
      : address(
          await ask(
            options.publicUrl,
            'Address at which the forge reaches this service, as https://hooks.example.org',
            '--public-url, or --hook none to look instead of being told,',
          ),
          '--public-url',
        );
  return {
    file,
    forge: options.name,
    url,
    kind: options.kind ?? null,
    repositories,
    agents: agentsOf(options, shippedAgents),
    labels: LABELS,
    hook: { level: options.hook, publicUrl },
    mailDomain: options.mailDomain ?? usualMailDomain(url),
    modelKeyFile: options.modelKeyFile ?? null,
  };
}

/** From a file, the environment, or typed and not shown. Never an argument: those are seen by everybody on the machine. */
export async function administratorToken(options: InitOptions, caller: Caller): Promise<string> {
  const fromFile = options.adminTokenFile === undefined ? null : readToken(options.adminTokenFile);
  const token = fromFile ?? caller.env[TOKEN_VARIABLE]?.trim() ?? '';
  if (token !== '') return token;
  if (caller.ask != null) {
    const typed = await caller.ask.secret('Token of an administrator of the forge; it is not kept');
    if (typed !== '') return typed;
  }
  throw wrong(`There is no token of an administrator. Give --admin-token-file, or set ${TOKEN_VARIABLE}.`);
}

function agentsOf({ agents, tokenFile = [] }: InitOptions, shipped: string[]): WantedAgent[] {
  const files = new Map(tokenFile.map((entry) => pair(entry, '--token-file')));
  const wanted = (agents ?? shipped).map((entry): WantedAgent => {
    const [agent, login] = entry.includes('=') ? pair(entry, '--agents') : [entry, `${entry}-bot`];
    const file = files.get(agent);
    files.delete(agent);
    return { agent, login, token: file === undefined ? null : readToken(file) };
  });
  const [unknown] = files.keys();
  if (unknown === undefined) return wanted;
  throw wrong(`--token-file names ${unknown}, which is none of the agents. Add it to --agents.`);
}

function pair(entry: string, option: string): [string, string] {
  const [key = '', ...rest] = entry.split('=');
  const value = rest.join('=');
  if (key === '' || value === '') throw wrong(`${option} ${entry}: give <agent>=<value>.`);
  return [key, value];
}

function readToken(file: string): string {
  const text = readFileSync(resolve(file), 'utf8').trim();
  if (text === '' || /\s/.test(text)) {
    throw new NotFound(
      `${file} has no token: it must hold one word. Put the token into it, and nothing else.`,
    );
  }
  return text;
}

async function asked(caller: Caller, question: string, option: string): Promise<string> {
  const said = caller.ask == null ? '' : await caller.ask.text(question);
  if (said !== '') return said;
  throw wrong(`${option} is missing. Give it as an option, or call init at a terminal.`);
}

function address(text: string, option: string): string {
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return text.replace(/\/+$/, '');
  throw wrong(`${option} ${text} is no address. Give one that begins with http:// or https://.`);
}

function wrong(sentence: string): UsageError {
  return new UsageError(new InvalidArgumentError(sentence), 'claude-hooks init');
}
