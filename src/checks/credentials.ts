/** Asks whoever takes a credential whether it is accepted, by calls that cost nothing. A secret is never shown. */
import type { ForgeConfig, LoadedConfig } from '../config/config.ts';
import type { Forge } from '../forges/forge.ts';
import type { TriedForge } from '../forges/try-reads.ts';
import { meant } from '../gateway/models.ts';
import type { Network } from '../network.ts';
import { type Check, isWell } from './check.ts';
import { checkIdentity } from './identity.ts';
import { checkSigningKey } from './signing-key.ts';
import { checkSmokeReads } from './smoke-reads.ts';
import { lineOf, type SmokeLine } from './smoke-report.ts';
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
): Promise<SmokeLine[]> {
  const forges = Object.values(config.forges);
  const tokens = forges.flatMap((forge) =>
    Object.keys(forge.accounts)
      .filter((agent) => deps.agents.includes(agent))
      .map((agent) => checkForge(forge, agent, deps)),
  );
  return [
    lineOf(await checkModel(config.model, deps.network)),
    ...forges.map(checkWebhookSecret),
    ...(await checkSigningKey(config.git.signingKeyFile)).map((key) => lineOf(key)),
    ...(await Promise.all(tokens)).flat(),
  ];
}

const TIMEOUT_MS = 20_000;

/** Listing models is free. A proxy may not have that call; then tokens are counted, which is free, too, and needs a full name. */
export async function checkModel(
  model: Pick<LoadedConfig['model'], 'upstream' | 'credential' | 'default'>,
  network: Deps['network'],
): Promise<Check<'model-credential'>> {
  const ask = (call: ModelCall) => askModel(model, network.fetch, call);
  const list = await ask({ method: 'GET', path: '/v1/models?limit=1' });
  if (typeof list !== 'string' && list.status !== 404 && list.status !== 405) return modelAnswer(list.status);
  const body = { model: meant(model.default), messages: [{ role: 'user', content: 'hi' }] };
  const count = await ask({ method: 'POST', path: '/v1/messages/count_tokens', body });
  if (typeof count !== 'string') return modelAnswer(count.status);
  const remedy = wayRemedy(network, model.upstream, count) ?? 'Check model.upstream and the firewall.';
  return { ...MODEL, severity: 'broken', problem: 'unreachable', evidence: count, remedy };
}

const MODEL = { check: 'model-credential', subject: 'model credential' } as const;

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

function modelAnswer(status: number): Check<'model-credential'> {
  const answered = `upstream answered ${status}`;
  if (status === 200) return { ...MODEL, severity: 'ok', problem: '', evidence: 'accepted', remedy: '' };
  if (status === 401 || status === 403) {
    const remedy = 'Put a valid key into model.api_key, or a fresh token into model.auth_token.';
    const refused = { severity: 'broken', fault: 'refused', problem: 'not accepted' } as const;
    return { ...MODEL, ...refused, evidence: answered, remedy };
  }
  if (status === 429 || status === 529) {
    const evidence = `accepted, at a limit now (${status})`;
    return { ...MODEL, severity: 'ok', problem: '', evidence, remedy: '' };
  }
  if (status >= 500) {
    const remedy = 'Try again later; if it stays, see its status page.';
    return { ...MODEL, severity: 'broken', problem: 'not answered', evidence: answered, remedy };
  }
  // The key is neither refused nor confirmed. Any further call would cost money.
  return {
    ...MODEL,
    severity: 'note',
    problem: 'upstream has no free question',
    evidence: answered,
    remedy: 'Ask it for real with --live.',
  };
}

async function checkForge(forge: ForgeConfig, agent: string, deps: Deps): Promise<SmokeLine[]> {
  const token = await checkIdentity(forge, agent, deps);
  const line = lineOf(token, { agent, where: forge.name });
  return isWell(token) ? [line, await checkSmokeReads(forge, agent, deps.forge(forge, agent))] : [line];
}

function checkWebhookSecret(forge: ForgeConfig): SmokeLine {
  const count = forge.webhookSecrets.filter((s) => s !== '').length;
  const own = forge.repositories.filter(({ secrets }) => secrets.length > 0).length;
  const words = [
    ...(count === 0 ? [] : [count === 1 ? 'set' : `${count} are accepted`]),
    ...(own === 0 ? [] : [`${own} repositories have their own`]),
  ].join(', ');
  const about = { check: 'webhook-secret', subject: `forge ${forge.name}` } as const;
  const where = forge.name;
  if (words !== '') {
    return lineOf({ ...about, severity: 'ok', problem: '', evidence: words, remedy: '' }, { where });
  }
  const remedy = `Set forges.${forge.name}.webhook_secret.`;
  const missing = { severity: 'broken', fault: 'missing', problem: 'not set', evidence: '', remedy } as const;
  return lineOf({ ...about, ...missing }, { where });
}
