/** A guarantee, how it is switched off, and the tests that must turn red then. */
export interface Guard {
  name: string;
  /** what it keeps from happening */
  keeps: string;
  off: Edit[];
  tests: GuardTests;
}

export interface GuardTests {
  files: string[];
  /** the pattern that Vitest's `-t` takes */
  named?: string;
  /** the one case of `test/faults` that is run, usual there or not: `FAULT` */
  fault?: string;
}

export type Edit = MarkedEdit | TextEdit;

/**
 * Replaces what stands below the comment `// guard: <mark>`: the line and what belongs to it, which are the deeper
 * indented lines after it and the line that closes its brackets. The comment moves with the code, so the guard does too.
 */
export interface MarkedEdit {
  mark: string;
  /** how many lines are replaced, where it is not the line and all that belongs to it */
  lines?: number;
  /** the new text, indented as the marked line is; empty = the lines go */
  becomes: string;
}

/** For files whose every line reaches the model, where a mark would be read by it. */
export interface TextEdit {
  file: string;
  /** stands in `file` exactly once */
  find: string;
  replace: string;
}
