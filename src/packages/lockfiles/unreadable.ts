import { WithRemedy } from '../../errors.ts';

/** A lock file that we cannot read, or a file that is none: nothing of it is taken, and a person is told why. */
export class LockFileUnreadable extends WithRemedy {
  override name = 'LockFileUnreadable';
  readonly path: string;
  constructor(path: string, problem: string, remedy: string) {
    super(`${path}: ${problem}`, remedy);
    this.path = path;
  }
}

/** What a reader gets: its text, and a way to say what is wrong with it. */
export interface LockText {
  path: string;
  text: string;
  fail(problem: string, remedy?: string): LockFileUnreadable;
}

export function lockText(path: string, text: string): LockText {
  const fail = (problem: string, remedy = 'Let its tool write it again, and commit that.') =>
    new LockFileUnreadable(path, problem, remedy);
  return { path, text, fail };
}
