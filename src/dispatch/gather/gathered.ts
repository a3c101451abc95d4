/** What gathering is asked for, and what it comes to. */
import type { AgentConfig, ForgeConfig } from '../../config/config.ts';
import type { Snapshot } from '../../flows/changes.ts';
import type { Comment, Item } from '../../forges/forge.ts';
import type { Lease } from '../../mailbox/leases.ts';
import type { ReadingForge } from '../../outcome/outgoing-forge.ts';
import type { Trust } from '../../trust.ts';
import type { EventRepository, ForgeEvent } from '../../vocabulary.ts';
import type { Vouching } from '../../voices.ts';
import type { Checkout, RelayPaths, Workdir } from '../../workdir.ts';
import type { EditQuestion, ToldEdits } from '../screen/edits.ts';
import type { Screened, ScreenedItem, ScreenedReview } from '../screen/pinned-text.ts';
import type { Evidence } from './evidence.ts';
import type { CarriedMessage } from './messages.ts';
import type { Compared, Refused } from './on-the-forge.ts';

export interface WorkBranch {
  name: string;
  base: string;
  /** first part of the names of branches that are the agent's own */
  prefix: string;
  /** whether a pull request is to be opened for it where there is none */
  opensPull: boolean;
}

/** An item and what stands on it, as a run may read it. */
export interface ItemShown {
  item: ScreenedItem;
  comments: Screened<Comment>[];
  reviews: ScreenedReview[];
  /** whose words may be believed */
  vouching: Vouching;
  /** what the agent should know about the texts it is given, in sentences */
  notes: string[];
  /** as the last answered dispatch saw it; null = none has */
  seen: Snapshot | null;
  /** as this one sees it */
  snapshot: Snapshot;
}

/** The item of its leading message, and what the dispatch shares. */
export interface DispatchContext extends ItemShown {
  /** with the messages that arrived while the forge was read, without those that were declined */
  lease: Lease;
  /** of all items */
  messages: CarriedMessage[];
  /** the message whose skill makes the prompt: the most urgent, of those the newest; null when all were withdrawn */
  leading: CarriedMessage | null;
  /** the other items that messages came from: the issue, or pull requests of the same conversation */
  elsewhere: ItemShown[];
  repository: EventRepository;
  /** the pull request whose commits stand in the checkout; null = none */
  checkedOut: Item | null;
  checkout: Checkout;
  /** who commits */
  identity: { name: string; email: string };
  /** the branch to push to; null when the work has nowhere to go (a fork's pull request) */
  branch: WorkBranch | null;
}

export interface ContextRequest {
  lease: Lease;
  agent: AgentConfig;
  account: { login: string; token: string };
  forgeConfig: ForgeConfig;
  forge: ReadingForge;
  trust: Trust;
  workdir: Workdir;
  /** where the agent will see the relay; null = where it is on this machine */
  relay: (conversationId: string) => RelayPaths | null;
  /** whether commits are signed */
  sign: boolean;
  /** of contents in Git LFS */
  maxLfsBytes: number;
  /** numbers of the items that belong to the conversation */
  joined: () => Promise<number[]>;
  /** stores the name that the repository has now */
  renamed: (fullName: string) => Promise<void>;
  /** whether this conversation has pushed that commit */
  hasPushed: (sha: string) => Promise<boolean>;
}

export interface RunContextRequest extends ContextRequest {
  /** takes up what arrived since the lease; called after the comments were read */
  carryLate: () => Promise<Lease>;
  /** the edits of these texts that the forge told us of */
  edits: (texts: Omit<EditQuestion, 'forge'>) => Promise<ToldEdits>;
  /** stores that these messages get no answer, under the lease, and what of it was no truth */
  decline: (refused: readonly Refused[]) => Promise<void>;
  /** whether a deletion of the event's comment was heard of and found true */
  wasDeleted: (event: ForgeEvent) => Promise<boolean>;
  /** which of these messages were taken back since, with a clause for a person that says by whom */
  withdrawn: (question: { messages: CarriedMessage[]; evidence: Evidence }) => Promise<Map<string, string>>;
  /** takes what happened for these messages, once; answers those that another delivery has taken, with that one's id */
  takeUp: (messages: Compared['there']) => Promise<ReadonlyMap<string, string>>;
}

export type Gathered =
  | { kind: 'ready'; context: DispatchContext }
  /**
   * nothing may run; `tell`: it is worth a word on the item, because whoever asked for it may; `withdrawn`: it was asked
   * for, and somebody took that back
   */
  /** CI still runs on what is to be mended: all its failures are dealt with at once */
  | { kind: 'early'; reason: string }
  | { kind: 'refused'; reason: string; tell: boolean; withdrawn: boolean };
