/** What an agent may push. A refusal says what is forbidden (`what`, for everybody) and what to do (`todo`, for the agent). Pure. */
import { type Closing, firstClosing } from '../security/closing-keywords.ts';
import { instructs } from '../steering/paths.ts';
import type { PushCheck, PushFacts, Refusal } from '../workdir.ts';
import { refuseSteering } from './marked-push.ts';
import { type Protection, protectionOf, throughLink } from './protected-files.ts';

export interface PushPolicy {
  /** why nothing may be pushed in this run; null = the rules below decide */
  closed: Refusal | null;
  /** branch the conversation's work goes to */
  branch: string;
  /** branch that work is for */
  base: string;
  /** first part of the names of the agent's own branches */
  prefix: string;
  /** number of the conversation's item */
  item: number;
  defaultBranch: string;
  protection: Protection;
  /** which issue a commit may close */
  closing: Closing;
  /** why the session may change no file that steers later runs, by now; null = it may */
  marked: () => string | null;
  /** whose commits they must be */
  identity: { name: string; email: string };
  maxBytes: number;
  /** of contents that are sent to Git LFS */
  maxLfsBytes: number;
}

/** One line of what git hands to a pre-receive hook. */
export interface RefUpdate {
  ref: string;
  /** null = the ref is to be deleted */
  sha: string | null;
}

// `ext::` and its like name a program, not a place.
const PROGRAM_URL = /^[A-Za-z0-9+.-]*::|^-/;

/** Checks the names alone, before the commits are read: a refusal for the agent, or null to go on. */
export function refuseRefs(policy: PushPolicy, updates: readonly RefUpdate[]): string | null {
  const refusal = judgeRefs(policy, updates);
  return refusal === null ? null : `${refusal.what} ${refusal.todo}`;
}

function judgeRefs(policy: PushPolicy, updates: readonly RefUpdate[]): Refusal | null {
  if (policy.closed !== null) return policy.closed;
  const [update] = updates;
  if (update === undefined || updates.length > 1) {
    return { what: 'Push one branch at a time.', todo: `Push again: git push origin ${policy.branch}.` };
  }
  const branch = branchOf(update.ref);
  if (branch === null) {
    return {
      what: `Only branches may be pushed, and ${shown(update.ref)} is none.`,
      todo: `Push ${policy.branch}.`,
    };
  }
  if (branch === policy.defaultBranch || branch === policy.base) {
    return {
      what: `${shown(branch)} is changed by pull requests only.`,
      todo: `Push ${policy.branch} and let it be reviewed.`,
    };
  }
  // guard: relay: branches
  if (!isOwn(policy, branch)) {
    return {
      what: `The branch ${shown(branch)} belongs to no work of this conversation.`,
      todo: `It is not yours to push. Push ${policy.branch}, or a branch named ${policy.prefix}/${policy.item}-<something>.`,
    };
  }
  if (update.sha === null)
    return { what: 'Branches are not deleted from here.', todo: `Ask a person to delete ${shown(branch)}.` };
  return null;
}

/** After git's own checks. */
export function refuseFacts(policy: PushPolicy, facts: PushFacts): Refusal | null {
  return (
    judgeRefs(policy, [{ ref: `refs/heads/${facts.branch}`, sha: facts.sha }]) ??
    refuseForce(policy, facts) ??
    refuseContent(policy, facts) ??
    refuseMessages(policy, facts) ??
    // guard: steering: pushes of a marked session
    refuseSteering(policy.marked(), facts, policy.base) ??
    // guard: relay: committer
    refuseCommitters(policy, facts)
  );
}

/** The same rules for the door and for the push after the run. */
export function checkOf(policy: PushPolicy): PushCheck {
  return {
    base: policy.base,
    isWatched: (path) => protectionOf(path, policy.protection) !== null || instructs(path),
    refuse: (facts) => refuseFacts(policy, facts),
    maxLfsBytes: policy.maxLfsBytes,
  };
}

function refuseForce(policy: PushPolicy, facts: PushFacts): Refusal | null {
  if (facts.fastForward) return null;
  const branch = facts.branch;
  if (branch !== policy.branch || !branch.startsWith(`${policy.prefix}/`)) {
    return {
      what: `Others' work is on ${branch}, and a forced push would lose it.`,
      todo: `Run git fetch, merge or rebase onto origin/${branch}, and push without force.`,
    };
  }
  // guard: relay: force
  if (facts.remoteSha === facts.seen) return null;
  return {
    what: `Somebody has pushed to ${branch} since the agent last looked.`,
    todo: `Run git fetch, look at origin/${branch}, and take over what is in it before you push.`,
  };
}

function refuseContent(policy: PushPolicy, facts: PushFacts): Refusal | null {
  if (facts.bytes > policy.maxBytes) return tooLarge(policy.maxBytes);
  // guard: relay: workflow files
  const kept = protectedIn(policy, facts);
  if (kept !== null) {
    return {
      what: `${kept}. No agent may change it here; the operator can allow it in git.unprotected_files.`,
      todo: `It is not yours to change. Take it out (git checkout origin/${policy.base} -- <file>, or git rm), amend, and push again; describe the change you want in your answer instead.`,
    };
  }
  const url = facts.submoduleUrls.find((u) => PROGRAM_URL.test(u));
  if (url !== undefined) {
    return {
      what: `.gitmodules names ${shown(url)}, which would run a program.`,
      todo: 'Use an https address.',
    };
  }
  return null;
}

function protectedIn({ protection }: PushPolicy, facts: PushFacts): string | null {
  for (const path of facts.changedFiles) {
    const is = protectionOf(path, protection);
    // guard: push: protected files
    if (is !== null) return `${shown(path)} is ${is}`;
  }
  const links = facts.links.filter(({ path }) => protectionOf(path, protection) !== null);
  const through = throughLink(facts.changedFiles, links);
  // guard: push: links to protected files
  if (through === null) return null;
  const is = protectionOf(through.link, protection) ?? 'protected';
  return `${shown(through.path)} is what ${shown(through.link)} links to, and that is ${is}`;
}

const LONGEST_MESSAGE = 64 * 1024;
const MOST_WORDS = 8 * 1024 * 1024;
/** Git names no encoding for UTF-8. In another encoding the forge may read other words than git shows here. */
const PLAIN_ENCODING = /^(utf-?8)?$/i;

function refuseMessages({ closing, base }: PushPolicy, facts: PushFacts): Refusal | null {
  const total = facts.messages.reduce((sum, { text }) => sum + text.length, 0);
  for (const { sha, encoding, text } of facts.messages) {
    const commit = `Commit ${sha.slice(0, 12)}`;
    const remedy = `Reword it (git rebase -i ${base === '' ? 'HEAD~1' : `origin/${base}`}, or git commit --amend)`;
    // guard: push: encodings of messages
    if (!PLAIN_ENCODING.test(encoding)) {
      return {
        what: `${commit} says that its message is in the encoding ${shown(encoding)}.`,
        todo: `${remedy} after git config --unset i18n.commitEncoding, and push again.`,
      };
    }
    if (text.length > LONGEST_MESSAGE || total > MOST_WORDS) {
      return {
        what: `The message of ${commit.toLowerCase()} is too long.`,
        todo: `${remedy} in fewer words, and push again.`,
      };
    }
    const words = firstClosing(text, closing);
    // guard: outgoing: commit messages
    if (words !== null) {
      const own = closing.own === null ? 'no issue' : `only #${closing.own}`;
      return {
        what: `${commit} says ${shown(words)}, by which the forge would close or reopen another issue than this conversation's; this agent may close ${own}.`,
        todo: `${remedy} without that word, for example "see" in its place, and push again.`,
      };
    }
  }
  return null;
}

function refuseCommitters(policy: PushPolicy, facts: PushFacts): Refusal | null {
  const { name, email } = policy.identity;
  // Older releases committed by an address of their own.
  const own = [email, `${name}@noreply.localhost`];
  const other = facts.commits.find((c) => !own.includes(c.committer.email) || c.committer.name !== name);
  if (other === undefined) return null;
  // Commits that are on the branch already may be by others.
  const onto = facts.remoteSha === null ? policy.base : facts.branch;
  const by = `${other.committer.name} <${other.committer.email}>`;
  return {
    what: `Commit ${other.sha.slice(0, 12)} is committed by ${shown(by)}, not by this agent (${name} <${email}>).`,
    todo: `Make the commits yours: unset GIT_COMMITTER_NAME and GIT_COMMITTER_EMAIL, then git rebase --force-rebase origin/${onto}, and push again.`,
  };
}

export function tooLarge(maxBytes: number): Refusal {
  return {
    what: `The push is larger than ${maxBytes} bytes; the operator can raise git.max_push_bytes.`,
    todo: 'Take large files out of the commits.',
  };
}

export function branchOf(ref: string): string | null {
  return ref.startsWith('refs/heads/') ? ref.slice('refs/heads/'.length) : null;
}

function isOwn(policy: PushPolicy, branch: string): boolean {
  const own = `${policy.prefix}/${policy.item}`;
  return branch === policy.branch || branch === own || branch.startsWith(`${own}-`);
}

/** Names come from an agent: no control characters into its terminal, its history or the audit. */
function shown(text: string): string {
  return JSON.stringify(text.slice(0, 120)).replace(/[\u007f-\u009f]/g, '?');
}
