/** Which commit a review is about: the one that stood in the checkout while the reviewer looked, whatever the forge has by now. */
import type { CheckoutHandle, Workdir } from '../../workdir/port.ts';

/** `why`: a sentence for people */
export type Reviewed = { kind: 'commit'; sha: string } | { kind: 'withheld'; why: string };

export interface ReviewedCheckout {
  /** the pull request that is reviewed, and the one whose commits are in the checkout */
  number: number;
  checkedOut: number | null;
  /** in the checkout when the run began, as the rows have it */
  began: string | null;
  /** null = the run was not just now: its checkout may have moved on since */
  now: string | null;
}

export function reviewedCommit({ number, checkedOut, began, now }: ReviewedCheckout): Reviewed {
  if (checkedOut !== number || began === null) {
    return withheld(`the commits of #${number} were not in my checkout`);
  }
  // guard: truth: a review names the commit of its checkout
  if (now !== null && now !== began) {
    return withheld(
      `my checkout was at ${short(began)} when I began and at ${now === '' ? 'no commit' : short(now)} when I ended`,
    );
  }
  return { kind: 'commit', sha: began };
}

function withheld(because: string): Reviewed {
  return {
    kind: 'withheld',
    why: `This is a comment and no verdict: ${because}. Ask for a review on the pull request to get a verdict.`,
  };
}

function short(sha: string): string {
  return sha.slice(0, 10);
}

/** A checkout that git cannot read is at no commit that anybody could name. */
export async function headNow(workdir: Pick<Workdir, 'inspect'>, checkout: CheckoutHandle): Promise<string> {
  return await workdir.inspect(checkout).then(
    ({ headSha }) => headSha,
    () => '',
  );
}
