/**
 * Where a run of the CLI stands: does a turn run, is there input that no turn has taken, what is left in the background. From
 * that follows whether the CLI's input stays open. Pure; the signals are those of CLI 2.1.330.
 */

/** A subagent or a command that the model left running. */
export interface BackgroundTask {
  id: string;
  /** the CLI's own word, as `local_agent`, `local_bash` */
  kind: string;
  /** in the model's words */
  description: string;
}

export type Signal =
  /** each turn begins with one */
  | { kind: 'init' }
  | { kind: 'result'; isError: boolean }
  /** all that runs in the background now */
  | { kind: 'background'; tasks: BackgroundTask[] }
  | { kind: 'handed'; id: string }
  /** `started`: a turn has taken this input; `cancelled`: none will */
  | { kind: 'input'; id: string; state: string };

export interface Turns {
  running: boolean;
  /** ids of input that no turn has taken */
  outstanding: ReadonlySet<string>;
  background: readonly BackgroundTask[];
  /** a turn ended in an error: nothing more is handed in */
  failed: boolean;
}

export const AT_START: Turns = { running: true, outstanding: new Set(), background: [], failed: false };

export function after(turns: Turns, signal: Signal): Turns {
  switch (signal.kind) {
    case 'init':
      return { ...turns, running: true };
    case 'result':
      return { ...turns, running: false, failed: turns.failed || signal.isError };
    case 'background':
      return { ...turns, background: signal.tasks };
    case 'handed':
      return { ...turns, outstanding: new Set([...turns.outstanding, signal.id]) };
    case 'input': {
      if (signal.state === 'queued') return turns;
      const outstanding = new Set([...turns.outstanding].filter((id) => id !== signal.id));
      return { ...turns, outstanding, running: turns.running || signal.state === 'started' };
    }
  }
}

/**
 * - `turn`: the model works, or will begin to
 * - `background`: its turn is over, and what it left behind may make it speak again
 * - `over`: nothing more is to come
 */
export function stageOf(turns: Turns): 'turn' | 'background' | 'over' {
  if (turns.failed && !turns.running) return 'over';
  if (turns.running || turns.outstanding.size > 0) return 'turn';
  // guard: background: waited for
  return turns.background.length > 0 ? 'background' : 'over';
}
