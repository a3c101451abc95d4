/**
 * The second step of the resume ladder: how the next run begins, from what was surveyed. Pure. Each rung is chosen only
 * when none above it is possible, and its reason is named.
 *
 *   resumed → restored → repaired → rebuilt (as a transcript, then as a text before the prompt)
 */
import type { SessionRow } from '../database/tables.ts';
import type { Continuity } from '../vocabulary.ts';
import { type Copy, describeCopies, isUsable, MISSING, type UsableCopy } from './copies.ts';
import { type Asked, type Floor, isTried } from './ladder-request.ts';
import { type Exchange, isEmpty } from './record.ts';
import type { SessionFiles, Survey } from './survey.ts';
import {
  endBeforeUnanswered,
  historyMessages,
  modelOf,
  readTranscript,
  type Tail,
  tailAfter,
  withoutBadLines,
} from './transcript.ts';

export type Choice = Told & (GoOn | StartAgain | StartFresh | Rebuild);

interface Told {
  continuity: Continuity;
  /** why no higher rung was possible */
  reason: string;
  evidence: Record<string, unknown>;
  /** tool calls that this dispatch has begun, by our record; after a crash the history may lack them */
  begun: string[];
}

export interface GoOn {
  step: 'go-on';
  session: SessionRow;
  /** the rung of its files alone: `continuity` is `rebuilt` until the first answer of a session that we wrote */
  rung: 'resumed' | 'restored' | 'repaired';
  place: Place;
  use: Use;
  /** the history that the CLI will load */
  bytes: Uint8Array;
  /** what the last run left behind the head */
  tail: Tail;
  /** uuid to cut the history at, so that a prompt without an answer is not sent twice; null = no cut */
  resumeAt: string | null;
  /** turns that the model will see before the prompt */
  history: number;
  /** what made the last answer in them; null = not known, or written by us */
  model: string | null;
}

/** The same id as a new session: it never had an answer, so nothing is lost. */
export interface StartAgain {
  step: 'start-again';
  session: SessionRow;
  place: Place;
  /** the copy with the unanswered prompt; null = no copy has a turn */
  use: Use | null;
  exchanges: Exchange[];
}

/** A new id, with nothing to tell. */
export interface StartFresh {
  step: 'start-fresh';
}

/** A new id, with the record as its history. */
export interface Rebuild {
  step: 'rebuild';
  form: 'synthesised' | 'digest';
  /** the files of the session that is given up; null = they do not matter */
  place: Place | null;
  exchanges: Exchange[];
}

/** What stands in the place where the CLI looks, once the files are where they belong. */
export interface Place {
  copy: Copy;
  /** file of another project folder that is moved there */
  stray: string | null;
  /** files of other project folders that are set aside */
  aside: string[];
  /** it is fetched from the CLI folder that the row names */
  isFormer: boolean;
}

/** Which copy becomes the history. */
export interface Use {
  from: 'disk' | 'archive';
  /** lines that do not parse are left out */
  isMended: boolean;
  /** the archive must be written anew: it grows by offset, and what it has is no beginning of this history */
  isArchiveReplaced: boolean;
}

export function choose(found: Survey, asked: Asked): Choice {
  const begun = found.record.find((e) => e.dispatchId === asked.dispatchId)?.actions ?? [];
  const { session, files } = found;
  const choice =
    isTried(session, asked) && files !== null
      ? fromFiles({ found, asked, session, files })
      : withoutFiles(found, asked);
  const evidence = found.isConfigBroken
    ? { ...choice.evidence, brokenConfigSetAside: true }
    : choice.evidence;
  return { ...choice, evidence, begun };
}

type Unfinished<C> = C & Omit<Told, 'begun'>;

/** The first dispatch, an agent that starts over on purpose, or a history that can only come from the record. */
function withoutFiles(found: Survey, asked: Asked): Unfinished<StartFresh | Rebuild> {
  const { policy, floor, floorReason } = asked;
  if (policy === 'fresh' && floor === 'resumed') return startFresh('policy-fresh');
  const exchanges = pastExchanges(found.record, asked);
  if (exchanges.length === 0) return startFresh('first-dispatch');
  const reason = floorReason ?? found.session?.reason ?? 'session-lost';
  return rebuild(asked, { exchanges, reason, evidence: {}, place: null });
}

function startFresh(reason: string): Unfinished<StartFresh> {
  return { step: 'start-fresh', continuity: 'fresh', reason, evidence: {} };
}

function rebuild(
  { floor }: Asked,
  from: Pick<Rebuild, 'exchanges' | 'place'> & Pick<Told, 'reason' | 'evidence'>,
): Unfinished<Rebuild> {
  const form = floor === 'digest' ? 'digest' : 'synthesised';
  const evidence = { ...from.evidence, form, exchanges: from.exchanges.length };
  return { step: 'rebuild', form, ...from, evidence, continuity: 'rebuilt' };
}

/** What the record holds; of the dispatch in hand only what it has already done. */
function pastExchanges(all: Exchange[], { dispatchId }: Asked): Exchange[] {
  // guard: rebuild from the record
  return all.filter((e) => e.dispatchId !== dispatchId || e.actions.length > 0);
}

interface Tried {
  found: Survey;
  asked: Asked;
  session: SessionRow;
  files: SessionFiles;
}

function fromFiles(tried: Tried): Unfinished<GoOn | StartAgain | Rebuild> {
  const { session, files, asked } = tried;
  const place = placeOf(files);
  const { archived } = files;
  const chosen = chooseCopy({
    disk: place.copy,
    archived,
    floor: asked.floor,
    fetched: fetchedFrom(files, place),
  });
  const evidence = {
    ...describeCopies(place.copy, archived),
    ...(files.strays.length > 0 ? { strays: files.strays.map((s) => s.file) } : {}),
    ...(place.isFormer ? { formerFolder: session.config_folder } : {}),
  };
  if (chosen.use === 'none') return withoutCopy(tried, { place, reason: chosen.reason, evidence });
  const copy = chosen.from;
  const isMended = chosen.use === 'mended';
  const bytes = isMended ? withoutBadLines(copy.bytes) : copy.bytes;
  const use: Use = {
    from: copy === archived ? 'archive' : 'disk',
    isMended,
    isArchiveReplaced: isMended || (chosen.use === 'disk' && !isBeginning(archived.bytes, bytes)),
  };
  const transcript = isMended ? readTranscript(bytes) : copy.transcript;
  const tail = tailAfter(transcript, session.head);
  if (session.head === null && tail.kind === 'unanswered') return startAgain(tried, { place, use, evidence });
  const isOurs = session.synthesised === 1;
  return {
    step: 'go-on',
    session,
    rung: chosen.continuity,
    place,
    use,
    bytes,
    tail: onlyHeard(tail, tried.found),
    // guard: cut of an unanswered prompt
    // guard: cut of an unanswered prompt (whole service)
    resumeAt: endBeforeUnanswered(transcript, session.head),
    history: historyMessages(transcript),
    model: isOurs && session.verified_at === null ? null : modelOf(transcript),
    continuity: isOurs && session.state === 'proposed' ? 'rebuilt' : chosen.continuity,
    reason: chosen.reason,
    evidence,
  };
}

/** A copy in the CLI folder of before comes first, then one in another project folder, into an empty place only. */
function placeOf({ disk, isPlaceTaken, isFolderOdd, strays, former }: SessionFiles): Place {
  const here = isFolderOdd ? MISSING : disk;
  const files = strays.map((s) => s.file);
  if (former !== null && isUsable(former)) {
    return { copy: former, stray: null, aside: files, isFormer: true };
  }
  const stray = isPlaceTaken && !isFolderOdd ? undefined : strays[0];
  return stray === undefined
    ? { copy: here, stray: null, aside: files, isFormer: false }
    : { copy: stray.copy, stray: stray.file, aside: files.slice(1), isFormer: false };
}

function fetchedFrom({ strays }: SessionFiles, { isFormer }: Place): string | null {
  if (strays.length > 0) return 'other-project-folder';
  return isFormer ? 'other-home' : null;
}

function isBeginning(archived: Uint8Array | null, bytes: Uint8Array): boolean {
  return archived === null || Buffer.compare(archived, bytes.subarray(0, archived.length)) === 0;
}

/**
 * A CLI that outlives its service goes on alone: each tool that it calls is refused in the user's name, and what it says
 * to that is no answer to anybody. An answer counts as the end of a turn only if the service heard it.
 */
function onlyHeard(tail: Tail, { heard: texts }: Survey): Tail {
  if (tail.kind !== 'answered') return tail;
  const heard = texts.has(tail.head);
  // guard: heard answer
  return heard ? tail : { kind: 'mid-turn' };
}

type CopyChoice =
  | { use: 'disk'; from: UsableCopy; continuity: 'resumed' | 'restored'; reason: string }
  | { use: 'archive'; from: UsableCopy; continuity: 'restored'; reason: string }
  | { use: 'mended'; from: UsableCopy; continuity: 'repaired'; reason: string }
  | { use: 'none'; reason: string };

interface Copies {
  /** in the place where the CLI looks */
  disk: Copy;
  archived: Copy;
  floor: Floor;
  /** where the copy on disk comes from, as a reason; null = it stood in its place */
  fetched: string | null;
}

/** Of two good copies the longer one is used; a damaged one only when no copy is good. */
function chooseCopy({ disk, archived, floor, fetched }: Copies): CopyChoice {
  const reason = `disk-${disk.state}`;
  const isDiskGood = isGood(disk);
  if (isDiskGood && floor === 'resumed') {
    if (isGood(archived) && archived.transcript.size > disk.transcript.size) {
      return { use: 'archive', from: archived, continuity: 'restored', reason: 'disk-behind-archive' };
    }
    return fetched === null
      ? { use: 'disk', from: disk, continuity: 'resumed', reason: 'in-order' }
      : { use: 'disk', from: disk, continuity: 'restored', reason: fetched };
  }
  if (isGood(archived)) {
    const why = isDiskGood ? 'resume-failed' : reason;
    return { use: 'archive', from: archived, continuity: 'restored', reason: why };
  }
  if (floor !== 'resumed') return { use: 'none', reason: 'resume-failed' };
  if (isUsable(disk)) return { use: 'mended', from: disk, continuity: 'repaired', reason };
  if (isUsable(archived)) return { use: 'mended', from: archived, continuity: 'repaired', reason };
  return { use: 'none', reason };
}

function isGood(copy: Copy): copy is UsableCopy {
  return copy.state === 'good';
}

/** A first prompt without any answer: the same id starts again, so that the prompt is sent once. */
function startAgain(
  { found, asked, session }: Tried,
  of: { place: Place; use: Use; evidence: Told['evidence'] },
): Unfinished<StartAgain> {
  const exchanges = asked.policy === 'fresh' ? [] : pastExchanges(found.record, asked);
  // Nothing was answered, so nothing is lost. What was asked before is told all the same.
  const continuity = exchanges.every(isEmpty) ? 'fresh' : 'rebuilt';
  return { step: 'start-again', session, exchanges, ...of, continuity, reason: 'first-turn-unanswered' };
}

/** No copy can be used: the same id again if it never got anywhere, else a new session from the record. */
function withoutCopy(
  { found, asked, session }: Tried,
  lost: { place: Place; reason: string; evidence: Told['evidence'] },
): Unfinished<StartAgain | Rebuild> {
  const exchanges = pastExchanges(found.record, asked);
  const neverStarted = session.head === null && exchanges.every(isEmpty) && asked.floor === 'resumed';
  if (!neverStarted) return rebuild(asked, { exchanges, ...lost });
  const reason = 'killed-before-first-write';
  return { step: 'start-again', session, use: null, exchanges, ...lost, continuity: 'fresh', reason };
}
