/** What a skill sees of an item and of the events about it: every text and name with its voice. Pure. */
import { Words, type WordsKind } from '../../config/words.ts';
import type { ChangeWords } from '../../flows/changes.ts';
import type { PromptComment, PromptInline, PromptReview, Spoken } from '../../flows/prompt.ts';
import type { InlineComment } from '../../forges/forge.ts';
import { isSameItem } from '../../item-key.ts';
import { shownLine } from '../../security/hidden-text.ts';
import type { EventItem, EventPull, EventReview, ForgeEvent, ForgeUser } from '../../vocabulary.ts';
import { accountOf, quotedLine, type Voice, type Vouching, voiceOf } from '../../voices.ts';
import type { DispatchContext } from '../screen/context.ts';
import { itemVoices, type Screened } from '../screen/pinned-text.ts';
import type { ChosenInline, ChosenReview } from './chosen.ts';

export type Printed = (words: Words) => void;

/** The words of one prompt; `printed` is told of each that goes into it. */
export class Shown {
  readonly #context: DispatchContext;
  readonly #printed: Printed;
  /** ids of comments that woke the agent */
  #woke: Set<number> | null = null;

  constructor(context: DispatchContext, printed: Printed) {
    this.#context = context;
    this.#printed = printed;
  }

  /** A text of which only what people see is left already. */
  text(text: string, voice: Voice): Words {
    return this.#words(text, voice, 'text');
  }

  /** A title: no forge reads it as Markdown. */
  line(text: string, voice: Voice): Words {
    return this.#words(shownLine(text), voice, 'text');
  }

  #words(text: string, voice: Voice, kind: WordsKind): Words {
    return new Words({ text, voice, kind, printed: this.#printed });
  }

  /** Labels, branches of the repository, assignees: the forge does not say who chose them. */
  name(text: string): Words {
    // Only an administrator of the repository says what its default branch is.
    if (text === this.#context.repository.defaultBranch) return this.own(text);
    const voice = voiceOf(this.#context.vouching, { what: 'name', authors: [] });
    return this.#words(shownLine(text), voice, 'name');
  }

  /** What a pull request brings along is its author's, whoever pushed it: a head branch, files, the jobs of its CI. */
  brought(text: string, others: readonly ForgeUser[] = []): Words {
    const { item, vouching } = this.#context;
    const authors = strangersFirst([item.author, ...others], vouching);
    const voice = voiceOf(vouching, { what: 'name', authors, editorUnknown: true });
    return this.#words(shownLine(text), voice, 'name');
  }

  /** A name of ours. */
  own(text: string): Words {
    return this.#words(text, OURS, 'name');
  }

  user({ id, login }: ForgeUser): Spoken<ForgeUser> {
    const voice = voiceOf(this.#context.vouching, { what: 'account', authors: [{ id, login }] });
    return { id, login: this.#words(login, voice, 'login') };
  }

  /** Whoever woke the agent may wake it; so may the robot of the forge that tells of CI, of which nothing else is known. */
  sender({ id, login }: ForgeUser): Spoken<ForgeUser> {
    const voice: Voice = { ...OURS, what: 'account', authors: [{ id, login }] };
    return { id, login: this.#words(login, voice, 'login') };
  }

  item(item: EventItem, voices: { voice: Voice; titleVoice: Voice }): Spoken<EventItem> {
    const { kind, number, state, htmlUrl } = item;
    return {
      kind,
      number,
      state,
      htmlUrl,
      title: this.line(item.title, voices.titleVoice),
      body: this.text(item.body, voices.voice),
      author: this.user(item.author),
      labels: item.labels.map((label) => this.name(label)),
      assignees: item.assignees.map((login) => this.name(login)),
    };
  }

  pull(pull: EventPull): Spoken<EventPull> {
    const { headSha, baseSha, merged, draft, fork } = pull;
    return {
      headSha,
      baseSha,
      merged,
      draft,
      fork,
      headRef: this.brought(pull.headRef),
      headRepository: pull.headRepository === null ? null : this.brought(pull.headRepository),
      baseRef: this.name(pull.baseRef),
      requestedReviewers: pull.requestedReviewers.map((login) => this.name(login)),
    };
  }

  comment(comment: Screened<DispatchContext['comments'][number]>): PromptComment {
    const { id, author, createdAt, trusted } = comment;
    const voice = { ...comment.voice, what: this.#isNew(id) ? 'new comment' : 'comment' };
    return { id, author: this.user(author), body: this.text(comment.body, voice), createdAt, trusted };
  }

  #isNew(commentId: number): boolean {
    this.#woke ??= new Set(this.#context.messages.map(({ event }) => event.comment?.id ?? 0));
    return this.#woke.has(commentId);
  }

  review(review: ChosenReview): PromptReview {
    const { id, author, verdict, commitId, trusted, known, voice } = review;
    return {
      id,
      author: this.user(author),
      verdict,
      commitId,
      trusted,
      known,
      body: this.text(review.body, { ...voice, detail: `, ${verdict}` }),
      inline: review.inline.map((c) => ({
        ...this.#inline(c, this.#remark(c)),
        replyTo: c.replyTo === null ? null : this.#inline(c.replyTo, { what: 'earlier inline comment' }),
      })),
    };
  }

  #remark({ id, before }: ChosenInline): Pick<Voice, 'what' | 'detail'> {
    const what = `${this.#isNew(id) ? 'new ' : ''}inline ${before === null ? 'comment' : 'reply'}`;
    const { vouching } = this.#context;
    return { what, detail: before === null ? '' : ` to ${accountOf(before.author, vouching)}` };
  }

  #inline(
    comment: Screened<InlineComment>,
    { what, detail = '' }: { what: string; detail?: string },
  ): Omit<PromptInline, 'replyTo'> {
    const { id, line, oldLine, createdAt, trusted } = comment;
    const at = line !== null ? `line ${line}` : oldLine !== null ? `old line ${oldLine}` : '';
    // Anybody may name a file in a remark, and whoever opened the pull request named its files.
    const path = this.brought(comment.path, comment.voice.authors);
    // A stranger's remark is labelled already, so the file's name needs no label of its own.
    const isTheirs = path.voice.authors.every(({ id: by }) =>
      comment.voice.strangers.some((s) => s.id === by),
    );
    const where =
      path.trusted || isTheirs
        ? `on ${isTheirs ? quotedLine(path.text) : path.asPart()}${at && ` ${at}`}`
        : `on ${at && `${at} of `}${path.asPart()}`;
    return {
      id,
      author: this.user(comment.author),
      path,
      at,
      line,
      body: this.text(comment.body, { ...comment.voice, what, detail: `${detail}, ${where}` }),
      createdAt,
      trusted,
    };
  }

  event(event: ForgeEvent): Spoken<ForgeEvent> {
    const { item, pull, comment, review, ci, push, repository } = event;
    const { vouching } = this.#context;
    const edit = event.name.endsWith('.edited') ? [event.sender] : [];
    const said = [...(comment === null ? [] : [comment.author]), ...edit];
    const words = voiceOf(vouching, { what: 'new comment', authors: said, created: event.occurredAt });
    const theirs = { events: edit.length > 0 ? [event] : [], incomplete: false };
    return {
      name: event.name,
      forge: event.forge,
      occurredAt: event.occurredAt,
      semanticKey: push === null ? event.semanticKey : '',
      repository: { ...repository, defaultBranch: this.name(repository.defaultBranch) },
      sender: this.sender(event.sender),
      item: item === null ? null : this.item(item, this.#voicesOf(item, theirs)),
      pull: pull === null ? null : this.pull(pull),
      comment:
        comment === null
          ? null
          : {
              id: comment.id,
              htmlUrl: comment.htmlUrl,
              author: this.user(comment.author),
              body: this.text(comment.body, words),
            },
      review:
        review === null
          ? null
          : {
              verdict: review.verdict,
              body: this.text(review.body, voiceOf(vouching, spokenReview(event, review))),
            },
      ci:
        ci === null
          ? null
          : {
              status: ci.status,
              headSha: ci.headSha,
              workflow: this.brought(ci.workflow),
              htmlUrl: this.brought(ci.htmlUrl),
            },
      push: push === null ? null : { ...push, ref: this.name(push.ref) },
      requestedReviewer: event.requestedReviewer === null ? null : this.name(event.requestedReviewer),
      mentions: event.mentions.map((login) => this.name(login)),
      added: {
        assignees: event.added.assignees.map((login) => this.name(login)),
        labels: event.added.labels.map((label) => this.name(label)),
      },
    };
  }

  /** The item an event tells of has the voices of the screening, where it is that item. */
  #voicesOf(item: EventItem, edits: { events: ForgeEvent[]; incomplete: boolean }) {
    const { item: known, vouching } = this.#context;
    return isSameItem(known, item) ? known : itemVoices(item.author, edits, vouching);
  }

  changeWords(): ChangeWords {
    const { item, reviews } = this.#context;
    const quoted = (words: Words) => (words.trusted ? JSON.stringify(words.oneLine()) : words.oneLine());
    return {
      title: (text) => quoted(this.line(text, item.titleVoice)),
      name: (text) => this.name(text).oneLine(),
      job: (text) => this.brought(text).oneLine(),
      reviewer: (login) => {
        const author = reviews.find((r) => r.author.login === login)?.author ?? { id: 0, login };
        return this.user(author).login.oneLine();
      },
    };
  }
}

function spokenReview({ sender }: ForgeEvent, { verdict }: EventReview) {
  return { what: 'review', authors: [sender], detail: `, ${verdict}` };
}

/** A name gets one label: the untrusted people's, if there are any. */
function strangersFirst(users: ForgeUser[], { ids }: Vouching): ForgeUser[] {
  const strangers = users.filter(({ id }) => !ids.has(id));
  return strangers.length > 0 ? strangers : users;
}

const OURS: Voice = {
  what: 'name',
  detail: '',
  authors: [],
  strangers: [],
  perhapsEdited: false,
  trusted: true,
  created: '',
  edited: '',
};
