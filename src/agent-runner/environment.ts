/**
 * The environment of the CLI. It has only what is named here, and no variable of the worker: a leaked
 * CLAUDE_CODE_SKIP_PROMPT_HISTORY, for example, would silently stop the transcript.
 */
import { environmentWithDoors } from '../container/doors.ts';
import type { Place } from '../container/place.ts';
import { PROJECT_FOLDER_NAME } from '../sessions/folders.ts';
import { forwarderEnvironment } from './model-forwarder.ts';

export interface EnvironmentOptions {
  place: Pick<Place, 'path' | 'config' | 'home' | 'temporary' | 'socket' | 'forwarder' | 'doors'>;
  /** the CLI's own retries of one request, before it reports an API error */
  modelRetries: number;
  /** longest silence of the model's side; less than 10 s counts as 10 s */
  modelIdleSeconds: number;
  /** for side tasks of the CLI; without it: as it chooses */
  smallModel?: string | null;
  /** the CLI runs as root; it skips permission prompts only if the environment says that it is sandboxed */
  root: boolean;
}

/** The CLI does not start without a key. The gateway replaces it by the real one, outside the container. */
export const PLACEHOLDER_KEY = 'sk-ant-placeholder-the-gateway-has-the-key';

export function cliEnvironment({ place, ...o }: EnvironmentOptions): Record<string, string> {
  // guard: environment from nothing
  const env = {
    ...(place.path === null ? {} : { PATH: place.path }),
    HOME: place.home,
    TMPDIR: place.temporary,
    LANG: 'C.UTF-8',
    TERM: 'dumb',
    // Without this base URL the CLI ignores the socket (measured on CLI 2.1.330).
    ANTHROPIC_UNIX_SOCKET: place.socket,
    ANTHROPIC_BASE_URL: 'http://localhost',
    ANTHROPIC_API_KEY: PLACEHOLDER_KEY,
    // Provider, proxy and certificate variables of a repository's settings are left out, and its key helpers are not run
    // (measured on CLI 2.1.330).
    // guard: project: provider and proxy variables
    CLAUDE_CODE_PROVIDER_MANAGED_BY_HOST: '1',
    CLAUDE_CONFIG_DIR: place.config,
    CLAUDE_CODE_PROJECT_DIR_NAME: PROJECT_FOLDER_NAME,
    // The transcript exists at `init` instead of about 92 ms later, at no measured cost.
    CLAUDE_CODE_EAGER_FLUSH: '1',
    CLAUDE_CODE_STARTUP_FAILURE_RESULTS: '1',
    // The default of ten retries takes three minutes that nobody sees. We park the dispatch instead.
    CLAUDE_CODE_MAX_RETRIES: String(o.modelRetries),
    // The first bounds silence inside a stream, the second the wait for response headers; without them a stalled
    // upstream holds a run for many minutes. CLAUDE_STREAM_FIRST_BYTE_TIMEOUT_MS, made for the second, does nothing
    // behind another base URL (measured on CLI 2.1.330).
    CLAUDE_BYTE_STREAM_IDLE_TIMEOUT_MS: String(o.modelIdleSeconds * 1000),
    API_TIMEOUT_MS: String(o.modelIdleSeconds * 1000),
    ...(!o.smallModel ? {} : { ANTHROPIC_DEFAULT_HAIKU_MODEL: o.smallModel }),
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    DISABLE_AUTOUPDATER: '1',
    // No archive has the memory in the CLI's folder: it would be lost with the folder, and nobody could look at it.
    // guard: offer: memory, part 1
    // guard: project: memory in the checkout, part 4
    CLAUDE_CODE_DISABLE_AUTO_MEMORY: '1',
    // Bundled skills are for a person at a terminal: key bindings, the status line, charts for a chat.
    // guard: offer: bundled skills, part 1
    CLAUDE_CODE_DISABLE_BUNDLED_SKILLS: '1',
    // The operator chooses the model. By itself the CLI would go on with another one when its own refuses or is missing.
    CLAUDE_CODE_DISABLE_REFUSAL_FALLBACK: '1',
    CLAUDE_CODE_NO_MODEL_FALLBACK: '1',
    // Ours are in `tools.ts`.
    // guard: offer: kinds of subagents
    CLAUDE_AGENT_SDK_DISABLE_BUILTIN_AGENTS: '1',
    // The few tools are offered at once. With a tool search each of them would cost a request.
    ENABLE_TOOL_SEARCH: 'false',
    ...(o.root ? { IS_SANDBOX: '1' } : {}),
  };
  const withModel = place.forwarder === null ? env : forwarderEnvironment(env, place.forwarder);
  return environmentWithDoors(withModel, place.doors);
}
