/** The shape of a transcript: each line names the one it follows. */

interface Line {
  uuid: string;
  parent: string | null;
  /** said by the model, on the main thread */
  isAnswer: boolean;
}

/**
 * Lines after which the model answered on more than one branch: the history has forked, and a resume shows one branch
 * of it alone. A branch without an answer is none: it is the prompt of a run that was cut off before the first reply,
 * which is cut away on purpose when the session goes on. `null` stands for the beginning.
 */
export function forks(transcript: string[]): (string | null)[] {
  const lines = transcript.filter((l) => l !== '').flatMap(read);
  const children = Map.groupBy(lines, (l) => l.parent);
  const holdsAnswer = (line: Line): boolean =>
    line.isAnswer || (children.get(line.uuid) ?? []).some(holdsAnswer);
  return [...children].filter(([, below]) => below.filter(holdsAnswer).length > 1).map(([parent]) => parent);
}

interface RawLine {
  uuid?: string;
  parentUuid?: string | null;
  type?: string;
  isSidechain?: boolean;
  message?: { model?: string };
}

function read(text: string): Line[] {
  const raw = JSON.parse(text) as RawLine;
  if (raw.uuid === undefined || raw.isSidechain === true) return [];
  const isAnswer = raw.type === 'assistant' && raw.message?.model !== '<synthetic>';
  return [{ uuid: raw.uuid, parent: raw.parentUuid ?? null, isAnswer }];
}
