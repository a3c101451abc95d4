/**
 * Whose words a text is. Author, trust and time belong to each piece of text, never to what it stands in: a stranger's
 * reply in a trusted person's review is the stranger's. Everything that reaches a model carries a voice, and says so
 * itself when it is printed. Pure.
 */
import type { ForgeUser } from './vocabulary.ts';

export interface Voice {
  /** what the text is, for its label: `description`, `inline comment`, … */
  what: string;
  /** what its label says besides: `, on src/sum.ts line 4`; of others' words in it only quoted ones */
  detail: string;
  /** who wrote it, then whoever edited it; empty = the forge does not say who chose it */
  authors: readonly ForgeUser[];
  /** those of the authors whose words nobody vouches for */
  strangers: readonly ForgeUser[];
  /** it may have been edited by somebody else, and not everybody who could have may wake agents here */
  perhapsEdited: boolean;
  /** all of its authors are known, and may wake agents here or are ours */
  trusted: boolean;
  /** RFC 3339 by the forge's clock; '' = unknown */
  created: string;
  edited: string;
}

/** Who may be believed in one repository. */
export interface Vouching {
  /** ids of accounts that may wake agents there, or are ours */
  ids: Pick<ReadonlySet<number>, 'has'>;
  /** whether everybody may who can edit others' texts on the forge: that takes write permission */
  writers: boolean;
}

/** For an answer that is stored already: nobody reads the texts again, so nobody is asked about them. */
export const EVERYBODY: Vouching = { ids: { has: () => true }, writers: true };

export interface Utterance {
  what: string;
  detail?: string;
  authors: readonly ForgeUser[];
  /** somebody may have edited it and the forge does not say who */
  editorUnknown?: boolean;
  created?: string;
  edited?: string;
}

/** Of two authors both must be believed: each could have put any sentence in. */
export function voiceOf(vouching: Vouching, utterance: Utterance): Voice {
  const { what, detail = '', created = '', edited = '' } = utterance;
  const authors = [...new Map(utterance.authors.map((user) => [user.id, user])).values()];
  const strangers = authors.filter(({ id }) => !vouching.ids.has(id));
  const perhapsEdited = utterance.editorUnknown === true && !vouching.writers;
  // guard: voices: both who wrote and who edited
  const trusted = authors.length > 0 && strangers.length === 0 && !perhapsEdited;
  return { what, detail, authors, strangers, perhapsEdited, trusted, created, edited };
}

/** `comment by eve, edited by ada (not trusted)` */
export function labelOf(voice: Voice): string {
  const [first, ...editors] = voice.authors.map(loginOf);
  const by = first === undefined ? '' : ` by ${first}`;
  const others = [...editors, ...(voice.perhapsEdited ? ['others, perhaps'] : [])];
  const edited = others.length === 0 ? '' : `, edited by ${others.join(' and ')}`;
  return `${voice.what}${by}${edited}${voice.trusted ? '' : ' (not trusted)'}${voice.detail}`;
}

/** A login has no spaces on any forge we know; one that has must not read like a label of ours. */
export function loginOf({ login }: { login: string }): string {
  return /^\w[\w.-]{0,99}$/.test(login) ? login : quotedLine(login);
}

/** `eve (not trusted)` */
export function accountOf(user: ForgeUser, vouching: Vouching): string {
  return vouching.ids.has(user.id) ? loginOf(user) : `${loginOf(user)} (not trusted)`;
}

const LONGEST_LINE = 200;

/** In double quotes and on one line: what is inside cannot end the quotes. */
export function quotedLine(text: string): string {
  const line = text.replace(/[\s\u0000-\u001f\u007f\u0085\u2028\u2029]+/g, ' ').trim();
  return JSON.stringify(line.length <= LONGEST_LINE ? line : `${line.slice(0, LONGEST_LINE - 1)}…`);
}

/** A text in a line of ours: always in quotes, with its label behind it unless it may be believed. */
export function inLine(text: string, voice: Voice): string {
  if (voice.trusted || voice.authors.length === 0) return quotedLine(text);
  // guard: voices: label of words in a line
  return `${quotedLine(text)}${labelOf({ ...voice, what: '', detail: '' })}`;
}

/** Logins of strangers in order of appearance; of texts that somebody unknown may have edited, that. */
export function strangersOf(voice: Voice): string[] {
  const names = voice.strangers.map(loginOf);
  const author = voice.authors[0];
  return voice.perhapsEdited && names.length === 0 && author !== undefined
    ? [`whoever may have edited the ${voice.what} of ${loginOf(author)}`]
    : names;
}
