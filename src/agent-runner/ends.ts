/** When a run of the CLI is over: its input is closed then, and what does not end is cut. */
import type { RunningContainer } from '../container/container.ts';
import type { LiveInput } from './live-input.ts';
import type { BackgroundTask } from './turns.ts';

interface EndingRun {
  input: LiveInput;
  container: Pick<RunningContainer, 'stop'>;
  lateMessagesMs: number;
  backgroundMs: number;
}

/** As `CliReport` has them. */
interface Cut {
  cut: boolean;
  leftBehind: readonly BackgroundTask[];
}

/**
 * Closes the input when nothing more is to come, and cuts what does not end: the CLI that stays, and work in the background
 * that outlasts its bound.
 */
export function endsOf(run: EndingRun, report: Cut): { look(): void; stop(): void } {
  const { input, container } = run;
  let closing: NodeJS.Timeout | null = null;
  let waiting: NodeJS.Timeout | null = null;
  let late: NodeJS.Timeout | null = null;
  const end = (): void => {
    if (input.stage !== 'over' || late !== null) return;
    input.close();
    late = setTimeout(() => {
      report.cut = true;
      // guard: late messages bound
      void container.stop();
    }, run.lateMessagesMs);
  };
  return {
    look: () => {
      if (closing !== null) clearTimeout(closing);
      closing = null;
      const { stage } = input;
      if (stage !== 'background' && waiting !== null) {
        clearTimeout(waiting);
        waiting = null;
      }
      if (stage === 'background') {
        waiting ??= setTimeout(() => {
          report.leftBehind = input.background;
          input.close();
          // guard: background: its bound
          void container.stop();
        }, run.backgroundMs);
      }
      // The turn that tells of work that has ended begins a moment after the work is off the list.
      if (stage === 'over') closing = setTimeout(end, input.hadBackground ? AFTER_BACKGROUND_MS : 0);
    },
    stop: () => {
      for (const timer of [closing, waiting, late]) if (timer !== null) clearTimeout(timer);
    },
  };
}

/** 40 to 60 ms were seen (CLI 2.1.330). Closed too early, the CLI still runs that turn, but takes no more words in it. */
const AFTER_BACKGROUND_MS = 1000;
