/** In front of the pocket forge: answers some calls itself, as a real forge does for scopes and roles the pocket forge lacks. */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export interface Refusal {
  /** of method and path below /api/v1, as `GET /user` */
  call: RegExp;
  status: number;
  json?: unknown;
  /** of these tokens only; without it, of all */
  tokens?: readonly string[];
}

export interface RefusingForge {
  url: string;
  /** calls that came, as `GET /user` */
  asked: string[];
}

/** Ends with the test. */
export async function openRefusingForge(
  target: string,
  refusals: readonly Refusal[],
): Promise<RefusingForge> {
  const asked: string[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { method = 'GET', url: path = '' } = request;
    const call = `${method} ${path.replace('/api/v1', '').replace(/\?.*$/, '')}`;
    asked.push(call);
    const refusal = refusals.find((one) => one.call.test(call) && isBy(request, one.tokens));
    if (refusal !== undefined) {
      response.writeHead(refusal.status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(refusal.json ?? { message: 'refused' }));
      return;
    }
    const { authorization, 'content-type': contentType = 'application/json' } = request.headers;
    const answer = await fetch(`${target}${path}`, {
      method,
      redirect: 'manual',
      headers: { 'content-type': contentType, ...(authorization === undefined ? {} : { authorization }) },
      ...(chunks.length === 0 ? {} : { body: Buffer.concat(chunks) }),
    });
    const kept = ['content-type', 'location', 'x-total-count', 'date', 'www-authenticate'];
    const headers = kept.flatMap((name) => {
      const value = answer.headers.get(name);
      return value === null ? [] : [[name, value] as const];
    });
    response.writeHead(answer.status, Object.fromEntries(headers));
    response.end(Buffer.from(await answer.arrayBuffer()));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

function isBy({ headers }: IncomingMessage, tokens: readonly string[] | undefined): boolean {
  return tokens === undefined || tokens.some((token) => headers.authorization === `token ${token}`);
}

const SCOPE = (scope: string) => ({
  message: `token does not have at least one of required scope(s): [${scope}]`,
});

/** With the scopes write:repository, write:issue and read:user, in a person's repository. */
export const README_SCOPES: readonly Refusal[] = [
  { call: /^GET \/orgs\//, status: 403, json: SCOPE('read:organization') },
  {
    call: /^GET \/repos\/[^/]+\/[^/]+\/teams$/,
    status: 405,
    json: { message: 'repo is not owned by an organization' },
  },
];

/** A token of Forgejo 15 and newer for named repositories: no read:user, and no administrator's rights even for one. */
export const NAMED_REPOSITORIES: readonly Refusal[] = [
  ...README_SCOPES,
  { call: /^GET \/users?(\/|$)/, status: 403, json: SCOPE('read:user') },
  { call: /^GET .*\/collaborators\/[^/]+\/permission$/, status: 403 },
  { call: /^GET .*\/hooks$/, status: 403 },
];

/** Gitea 1.25 and newer, to everybody but the owner. */
export const GITEA_RUNS: Refusal = {
  call: /^GET .*\/actions\/(runs|jobs)$/,
  status: 403,
  json: { message: 'user should be the owner of the repo' },
};
