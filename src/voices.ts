/**
 * Voices: whose words a text is. Author, trust and time belong to each piece of text and not to what it is part of: a
 * stranger's reply in a trusted person's review is still the stranger's. Everything that reaches a model has a voice,
 * and is printed with it. Pure.
 */
import type { ForgeUser } from './vocabulary.ts';

export interface Voice {
  /** what the text is, for its label: `description`, `inline comment`, … */
  what: string;
  /** what its label adds: `, on src/sum.ts line 4`; other people's words in it must be quoted */
  detail: string;
  /** its writer, then everybody who edited it; empty = the forge does not say whose words they are */
  authors: readonly ForgeUser[];
  /** those authors who may not be believed */
  strangers: readonly ForgeUser[];
  /** somebody else may have edited it, and not everybody who could have may wake agents here */
  perhapsEdited: boolean;
  /** all authors are known, and each may wake agents here or is an account of ours */
  trusted: boolean;
  /** RFC 3339 by the forge's clock; '' = unknown */
  created: string;
  edited: string;
}

/** Who may be believed in one repository. */
export interface Vouching {
  /** ids of accounts that may wake agents there, or are ours */
  ids: Pick<ReadonlySet<number>, 'has'>;
  /**
   * whether everybody who can edit others' texts on the forge (which takes write permission) may wake agents
   */
  writers: boolean;
}

/** For an answer that is stored already: its texts are not read again, so nobody has to be asked about. */
export const EVERYBODY: Vouching = { ids: { has: () => true }, writers: true };

export interface Utterance {
  what: string;
  detail?: string;
  authors: readonly ForgeUser[];
  /** it may have been edited, and the forge does not say by whom */
  editorUnknown?: boolean;
  created?: string;
  edited?: string;
}

/** All authors must be believed: each of them could have written any sentence. */
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

/**
 * No forge we know allows spaces in a login. A login that has some is quoted, so that it does not read like our label.
 */
export function loginOf({ login }: { login: string }): string {
  return /^\w[\w.-]{0,99}$/.test(login) ? login : quotedLine(login);
}

/** `eve (not trusted)` */
export function accountOf(user: ForgeUser, vouching: Vouching): string {
  return vouching.ids.has(user.id) ? loginOf(user) : `${loginOf(user)} (not trusted)`;
}

const LONGEST_LINE = 200;

/** In double quotes and on one line, so that the text cannot end the quotes. */
export function quotedLine(text: string): string {
  const line = text.replace(/[\s\u0000-\u001f\u007f\u0085\u2028\u2029]+/g, ' ').trim();
  return JSON.stringify(line.length <= LONGEST_LINE ? line : `${line.slice(0, LONGEST_LINE - 1)}…`);
}

/** A text inside a line of ours: always in quotes, and followed by its label unless it is trusted. */
export function inLine(text: string, voice: Voice): string {
  if (voice.trusted || voice.authors.length === 0) return quotedLine(text);
  // guard: voices: label of words in a line
  return `${quotedLine(text)}${labelOf({ ...voice, what: '', detail: '' })}`;
}

/**
 * Logins of strangers in order of appearance. Where only an unknown editor is doubtful, a clause that says so.
 */
export function strangersOf(voice: Voice): string[] {
  const names = voice.strangers.map(loginOf);
  const author = voice.authors[0];
  return voice.perhapsEdited && names.length === 0 && author !== undefined
    ? [`whoever may have edited the ${voice.what} of ${loginOf(author)}`]
    : names;
}
