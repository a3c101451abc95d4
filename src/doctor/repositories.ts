/** Which repositories can be looked at, and as whom. */
import { z } from 'zod';
import type { ForgeConfig } from '../config/config.ts';
import { ForgeUnavailable } from '../errors.ts';
import type { ForgeHook } from '../forge/forge.ts';
import { createForgeHttp } from '../forge/gitea-family-http.ts';
import type { RepositoryRef } from '../vocabulary.ts';
import type { DoctorContext } from './contract.ts';

/** Named in the configuration; for `owner/*` those a conversation is about. */
export async function repositoriesOf(context: DoctorContext, forge: ForgeConfig): Promise<string[]> {
  const listed = forge.repositories.map(({ pattern }) => pattern);
  const named = listed.filter((r) => !r.endsWith('/*'));
  const owners = listed.filter((r) => r.endsWith('/*')).map((r) => r.slice(0, -1).toLowerCase());
  if (owners.length === 0 || context.rows === null) return [...named];
  const seen = await context.rows
    .selectFrom('conversations')
    .select('repository_name')
    .distinct()
    .where('forge', '=', forge.name)
    .execute();
  const found = seen
    .map((r) => r.repository_name)
    .filter((name) => owners.some((owner) => name.toLowerCase().startsWith(owner)));
  return [...new Set([...named, ...found])];
}

export interface Visible {
  repository: RepositoryRef;
  /** the first of our accounts that sees it */
  agent: string;
  /** as the forge names it; nothing but a hint */
  cloneUrl: string;
}

const found = z.object({ id: z.int(), full_name: z.string(), clone_url: z.string().catch('') });

/** The repository as the first of our accounts sees it; the last account's words when none does. */
export async function lookAt(
  forge: ForgeConfig,
  fullName: string,
): Promise<Visible | { problem: string; answered: boolean }> {
  let problem = 'no account is configured';
  let answered = true;
  for (const [agent, { token }] of Object.entries(forge.accounts)) {
    try {
      // The port addresses repositories by id; here only the name is known.
      const http = createForgeHttp({ name: forge.name, url: forge.url, token });
      const path = `/repos/${fullName.split('/').map(encodeURIComponent).join('/')}`;
      const { value } = await http.send({ method: 'GET', path }, found);
      const repository = { id: String(value.id), fullName: value.full_name };
      return { repository, agent, cloneUrl: withoutPassword(value.clone_url) };
    } catch (error) {
      problem = (error as Error).message;
      answered = !(error instanceof ForgeUnavailable);
    }
  }
  return { problem, answered };
}

/** It is printed. */
function withoutPassword(address: string): string {
  if (!URL.canParse(address)) return '(no address)';
  const url = new URL(address);
  return `${url.origin}${url.pathname}`;
}

/** Hooks are shown to administrators of the repository only; each of our accounts is tried. */
export async function hooksOf(
  context: DoctorContext,
  forge: ForgeConfig,
  repository: RepositoryRef,
): Promise<{ hooks: ForgeHook[]; agent: string } | { problem: string }> {
  let problem = 'no account is configured';
  for (const agent of Object.keys(forge.accounts)) {
    try {
      return { hooks: await context.forge(forge, agent).listHooks(repository), agent };
    } catch (error) {
      problem = (error as Error).message;
    }
  }
  return { problem };
}
