/**
 * Where Forgejo 16 and Gitea 1.26 differ, as they were recorded (test/fixtures). One object for each kind: the rest
 * of the pocket forge reads its fields and never asks for the kind.
 */
export type PocketKind = 'forgejo' | 'gitea';

interface PocketHabits {
  /** Forgejo names the Gitea whose API it is compatible with */
  version: string;
  /** whose headers a delivery has, and of those who signs */
  headers: readonly string[];
  /** `label_updated` after a PUT lists the labels that were there before */
  replacedLabelsAreOld: boolean;
  /** an account whose last review only comments is listed among the requested reviewers */
  listsCommenters: boolean;
  /** a verdict marks the same account's earlier ones as dismissed */
  verdictDismisses: boolean;
  /** a new issue's first deliveries come before it has a time */
  bornWithoutTime: boolean;
  /** commit statuses are told to hooks; runs come as statuses and workflow_run */
  tellsStatuses: boolean;
  /** the list of runs is refused to everybody but the owner and site admins */
  runsAreTheOwners: boolean;
  /** a comment review is subscribed to with the reviews, not with the comments */
  commentReviewIsReview: boolean;
}

export const HABITS: Record<PocketKind, PocketHabits> = {
  forgejo: {
    version: '16.0.3-pocket+gitea-1.22.0',
    headers: ['Forgejo', 'Gitea', 'Gogs', 'GitHub'],
    replacedLabelsAreOld: false,
    listsCommenters: false,
    verdictDismisses: false,
    bornWithoutTime: false,
    tellsStatuses: false,
    runsAreTheOwners: false,
    commentReviewIsReview: false,
  },
  gitea: {
    version: '1.26.0-pocket',
    headers: ['Gitea', 'Gogs', 'GitHub'],
    replacedLabelsAreOld: true,
    listsCommenters: true,
    verdictDismisses: true,
    bornWithoutTime: true,
    tellsStatuses: true,
    runsAreTheOwners: true,
    commentReviewIsReview: true,
  },
};
