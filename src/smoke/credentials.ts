/** Credentials, one line each, never a secret: what costs nothing to ask is asked of whoever takes them. */
import { readFile } from 'node:fs/promises';
import type { ForgeConfig, LoadedConfig } from '../config/config.ts';
import { ForgeRefused } from '../errors.ts';
import type { Forge } from '../forges/forge.ts';
import type { TriedForge } from '../forges/try-reads.ts';
import { meant } from '../gateway/models.ts';
import type { Network } from '../network.ts';
import { checkReads } from './forge-reads.ts';
import { isWell, type SmokeCheck } from './report.ts';
import { wayRemedy } from './way-remedies.ts';

export type ForgeOf = (forge: ForgeConfig, agent: string) => SmokeForge;
export type SmokeForge = Pick<Forge, 'self' | 'findRepository' | 'listRepositories'> & TriedForge;

interface Deps {
  forge: ForgeOf;
  network: Pick<Network, 'fetch' | 'proxyFor'>;
}

export async function checkCredentials(
  config: LoadedConfig,
  deps: Deps & { agents: readonly string[] },
): Promise<SmokeCheck[]> {
  const forges = Object.values(config.forges);
  const tokens = forges.flatMap((forge) =>
    Object.keys(forge.accounts)
      .filter((agent) => deps.agents.includes(agent))
      .map((agent) => checkForge(forge, agent, deps)),
  );
  return [
    await checkModel(config.model, deps.network),
    ...forges.map(checkWebhookSecret),
    ...(await checkSigningKey(config.git.signingKeyFile)),
    ...(await Promise.all(tokens)).flat(),
  ];
}

const TIMEOUT_MS = 20_000;

/** A list of models is free. Proxies may not have it; they count tokens, which is free as well, and know no short names. */
export async function checkModel(
  model: Pick<LoadedConfig['model'], 'upstream' | 'credential' | 'default'>,
  network: Deps['network'],
): Promise<SmokeCheck> {
  const ask = (call: ModelCall) => askModel(model, network.fetch, call);
  const list = await ask({ method: 'GET', path: '/v1/models?limit=1' });
  if (typeof list !== 'string' && list.status !== 404 && list.status !== 405) return modelAnswer(list.status);
  const body = { model: meant(model.default), messages: [{ role: 'user', content: 'hi' }] };
  const count = await ask({ method: 'POST', path: '/v1/messages/count_tokens', body });
  if (typeof count !== 'string') return modelAnswer(count.status);
  const remedy = wayRemedy(network, model.upstream, count) ?? 'Check model.upstream and the firewall.';
  return modelCheck('failed', `unreachable: ${count}`, remedy);
}

type ModelCall = { method: 'GET' | 'POST'; path: string; body?: unknown };

async function askModel(
  { upstream, credential }: Pick<LoadedConfig['model'], 'upstream' | 'credential'>,
  send: typeof fetch,
  call: ModelCall,
): Promise<{ status: number } | string> {
  try {
    const answer = await send(`${upstream}${call.path}`, {
      method: call.method,
      redirect: 'manual',
      headers: {
        'anthropic-version': '2023-06-01',
        'content-type': 'application/json',
        ...(credential.kind === 'api-key'
          ? { 'x-api-key': credential.value }
          : { authorization: `Bearer ${credential.value}`, 'anthropic-beta': 'oauth-2025-04-20' }),
      },
      ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    await answer.body?.cancel();
    return { status: answer.status };
  } catch (error) {
    const cause = (error as Error).cause;
    return cause instanceof Error ? cause.message : (error as Error).message;
  }
}

function modelAnswer(status: number): SmokeCheck {
  if (status === 200) return modelCheck('ok', 'accepted', '');
  if (status === 401 || status === 403) {
    return modelCheck(
      'refused',
      `upstream answered ${status}`,
      'Put a valid key into model.api_key, or a fresh token into model.auth_token.',
    );
  }
  if (status === 429 || status === 529) return modelCheck('ok', `accepted, at a limit now (${status})`, '');
  if (status >= 500) {
    return modelCheck(
      'failed',
      `upstream answered ${status}`,
      'Try again later; if it stays, see its status page.',
    );
  }
  // Neither refused nor confirmed, and the only question left would cost money.
  return modelCheck('skipped', `upstream has no free question (${status})`, 'Ask it for real with --live.');
}

function modelCheck(state: SmokeCheck['state'], detail: string, remedy: string): SmokeCheck {
  return { agent: null, check: 'model-credential', state, detail, remedy };
}

async function checkForge(forge: ForgeConfig, agent: string, deps: Deps): Promise<SmokeCheck[]> {
  const token = await checkForgeToken(forge, agent, deps);
  return isWell(token) ? [token, await checkReads(forge, agent, deps.forge(forge, agent))] : [token];
}

async function checkForgeToken(
  forge: ForgeConfig,
  agent: string,
  { forge: forgeOf, network }: Deps,
): Promise<SmokeCheck> {
  const { login } = forge.accounts[agent]!;
  const key = `forges.${forge.name}.accounts.${agent}`;
  const check = (state: SmokeCheck['state'], detail: string, remedy: string): SmokeCheck => ({
    agent,
    check: 'forge-token',
    state,
    detail: `${forge.name}: ${detail}`,
    remedy,
  });
  try {
    const self = await forgeOf(forge, agent).self();
    if (self.login.toLowerCase() === login.toLowerCase()) return check('ok', `is ${self.login}`, '');
    return check('refused', `belongs to ${self.login}, not to ${login}`, `Correct ${key}.`);
  } catch (error) {
    if (!(error instanceof ForgeRefused)) {
      const said = (error as Error).message;
      const remedy =
        wayRemedy(network, forge.url, said) ?? `Check forges.${forge.name}.url and that the forge is up.`;
      return check('failed', `unreachable: ${said}`, remedy);
    }
    if (error.status === 403) {
      const remedy =
        'Give the token the scope read:user, if it can have it: one for named repositories cannot.';
      return check('skipped', `may not be asked whose it is; taken for ${login}`, remedy);
    }
    return check('refused', `the forge answered ${error.status}`, `Put a valid token into ${key}.token.`);
  }
}

function checkWebhookSecret(forge: ForgeConfig): SmokeCheck {
  const count = forge.webhookSecrets.filter((s) => s !== '').length;
  const own = forge.repositories.filter(({ secrets }) => secrets.length > 0).length;
  const words = [
    ...(count === 0 ? [] : [count === 1 ? 'set' : `${count} are accepted`]),
    ...(own === 0 ? [] : [`${own} repositories have their own`]),
  ].join(', ');
  return {
    agent: null,
    check: 'webhook-secret',
    state: words === '' ? 'missing' : 'ok',
    detail: `${forge.name}: ${words === '' ? 'not set' : words}`,
    remedy: words === '' ? `Set forges.${forge.name}.webhook_secret.` : '',
  };
}

async function checkSigningKey(file: string | null): Promise<SmokeCheck[]> {
  if (file === null) return [];
  const about = { agent: null, check: 'signing-key' } as const;
  const key = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => error);
  if (key instanceof Error) {
    const state = key.code === 'ENOENT' ? 'missing' : 'refused';
    const remedy = 'Let git.signing_key_file name a file the user of the service may read (mode 0600).';
    return [{ ...about, state, detail: `${file}: ${key.code ?? 'unreadable'}`, remedy }];
  }
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(key)) {
    return [{ ...about, state: 'ok', detail: 'readable', remedy: '' }];
  }
  const remedy = 'Name the private half of an SSH key; `ssh-keygen -t ed25519` makes one.';
  return [{ ...about, state: 'refused', detail: `${file} is no private key`, remedy }];
}
