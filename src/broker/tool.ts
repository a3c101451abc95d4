/** What a forge tool is made of; `call.ts` puts the policy, the count, the rows and the audit around it. */
import { z } from 'zod';
import { unmarked } from '../outcome/answer.ts';
import type { ForgeUser } from '../vocabulary.ts';
import type { Vouching } from '../voices.ts';
import type { BrokerDeps, BrokerScope, Spoken } from './scope.ts';

export interface Broker {
  scope: BrokerScope;
  deps: BrokerDeps;
  /** the agent's own account, asked once */
  self(): Promise<ForgeUser>;
  /** whose words of these may be believed: each text is labelled by its own author */
  believed(authors: readonly ForgeUser[]): Promise<Vouching>;
  /** jobs of CI that were listed in this run, and whose words their logs are */
  jobs: Map<number, readonly Spoken[]>;
}

/** The answer of a reading tool, always with whose words are in it. */
export interface Shown {
  text: string;
  words: readonly Spoken[];
}

/** What a write came to; stored, and answered again when the call is repeated. */
export interface Done {
  text: string;
  /** the issue or pull request that was made */
  number?: number;
  /** what a person was asked */
  question?: string;
}

export interface Act extends Broker {
  /** the hidden mark of this call */
  mark: string;
}

/** Refused by our policy. The message ends with the remedy. */
export class Denied extends Error {
  override name = 'Denied';
}

/** Refused in words of ours alone: the message quotes nothing from the forge. */
export class DeniedUnread extends Denied {}

interface Described<Input> {
  name: string;
  description: string;
  input: z.ZodObject;
  /** only here for its type */
  readonly example?: Input;
}

export interface ReadTool<Input = unknown> extends Described<Input> {
  kind: 'read';
  read(input: Input, broker: Broker): Promise<Shown>;
}

export interface WriteTool<Input = unknown> extends Described<Input> {
  kind: 'write';
  /** it puts a text there with our mark, so doing it twice would be seen twice; the others may be repeated */
  leavesMark: boolean;
  /** allowed also in a run with text of strangers */
  harmless: boolean;
  /** the item it writes to; null for a new one, which takes the scope of the whole repository */
  target(input: Input, broker: Broker): Promise<number | null> | number | null;
  /** throws Denied; asked before anything is planned */
  check?(input: Input, broker: Broker): Promise<void>;
  /** looks for what an attempt that was cut off may have done */
  find?(input: Input, act: Act): Promise<Done | null>;
  perform(input: Input, act: Act): Promise<Done>;
  /** idempotent; runs after every successful answer, repeated ones too */
  after?(done: Done, broker: Broker): Promise<void>;
}

export type Tool = ReadTool | WriteTool;

type Spec<T, S extends z.ZodRawShape> = Omit<T, 'kind' | 'input' | 'example'> & { input: S };

export function readTool<S extends z.ZodRawShape>(spec: Spec<ReadTool<z.output<z.ZodObject<S>>>, S>): Tool {
  return { ...spec, kind: 'read', input: z.object(spec.input) } as Tool;
}

export function writeTool<S extends z.ZodRawShape>(spec: Spec<WriteTool<z.output<z.ZodObject<S>>>, S>): Tool {
  return { ...spec, kind: 'write', input: z.object(spec.input) } as Tool;
}

/** Models write numbers as strings now and then. */
export const itemNumber = z.coerce.number().int().positive().max(Number.MAX_SAFE_INTEGER);
/** Longest text of one write. The forges take more, but nobody reads more. */
export const text = z
  .string()
  .trim()
  .min(1)
  .max(60_000)
  .refine((words) => unmarked(words) !== '', 'must say something besides a hidden mark');
export const title = z.string().trim().min(1).max(250);
export const logins = z
  .array(z.string().regex(/^[\w][\w.-]{0,99}$/))
  .min(1)
  .max(10);
export const commitSha = z.string().regex(/^[0-9a-f]{40}([0-9a-f]{24})?$/, 'must be a whole commit id');
