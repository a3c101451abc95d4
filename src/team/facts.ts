/** What the table decides by: a pull request of one of our agents, as the forge and our rows have it. Plain data, no IO. */

export interface PullFacts {
  number: number;
  state: 'open' | 'closed' | 'merged';
  /** agent that opened it, null = none of ours did */
  author: string | null;
  /** the label by which people keep agents off, null = none */
  optOut: string | null;
  draft: boolean;
  headSha: string;
  baseSha: string;
  /** at the head; `none` = nothing has reported, and nothing lets us expect that anything will */
  ci: 'none' | 'pending' | 'success' | 'failure';
  /** `unknown` = the forge has said no, which it also says while it still looks */
  mergeable: 'yes' | 'no' | 'unknown';
  verdict: HeadVerdict;
  /** somebody who is none of our agents asks for changes, and has not taken that back */
  veto: Veto | null;
  /** times our reviewers asked for changes since a person last gave a review */
  rounds: number;
  mostRounds: number;
  /** who merges what is ready */
  merge: 'people' | 'boss';
  /** a clause: the rule of the base branch that forbids a merge, null = none is known */
  rule: string | null;
  /** number of the pull request of this repository that is to be rebased or merged first, null = it is this one's turn */
  after: number | null;
}

/** What was said of the head, and of nothing older. */
export interface HeadVerdict {
  /** `commented` = a review without a verdict */
  is: 'none' | 'approved' | 'changes_requested' | 'commented';
  /** who gave it: agents by name, people by login; '' = nobody */
  by: string;
}

export interface Veto {
  login: string;
  /** the head is the commit it was about */
  atHead: boolean;
  /** whether that person may give agents work */
  trusted: boolean;
}
