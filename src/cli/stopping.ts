/** When a command should end before its time: somebody stops it, or nobody reads any more what it writes. */

export interface StopRequest {
  kind: 'signal' | 'nobody-reads';
  /** as shells count: 128 and the number of the signal */
  exitCode: number;
}

type Listener = (request: StopRequest) => void;

const SIGNALS = { SIGINT: 130, SIGTERM: 143 } as const;
/** Of a command that has the terminal: it is closed, and what was begun has to be handed back. */
const HANG_UP = { SIGHUP: 129 } as const;
const SIGPIPE_EXIT = 141;
let listener: Listener | null = null;
const stopped = new AbortController();

/** For the one command that runs: called at each signal, and at each write that nobody reads. */
export function onStopRequest(heard: Listener, { andHangUp = false } = {}): void {
  listener = heard;
  for (const [name, exitCode] of Object.entries(andHangUp ? { ...SIGNALS, ...HANG_UP } : SIGNALS)) {
    process.on(name, () => heard({ kind: 'signal', exitCode }));
  }
}

/**
 * For a command that clears away before it ends: aborts at the first request and sets its exit code. A second signal ends
 * the process at once.
 */
export function stopSignal(also: { andHangUp?: boolean } = {}): AbortSignal {
  onStopRequest(({ kind, exitCode }) => {
    if (stopped.signal.aborted && kind === 'signal') process.exit(exitCode);
    process.exitCode = exitCode;
    stopped.abort();
  }, also);
  return stopped.signal;
}

/** Whether the command was stopped. Later errors follow from that and are not printed; the exit code is set already. */
export function wasCut(): boolean {
  return stopped.signal.aborted;
}

/** `… | head -3` closes the pipe: Node would end with a stack trace, and without clearing away. */
export function endWhenNobodyReads(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      // guard: first hour: a closed pipe ends a command in order
      if (error.code !== 'EPIPE') throw error;
      if (listener === null) process.exit(SIGPIPE_EXIT);
      listener({ kind: 'nobody-reads', exitCode: SIGPIPE_EXIT });
    });
  }
}
