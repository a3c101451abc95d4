/** What a run has left that people cannot see, in sentences for them. Pure but for the question to the checkout. */
import type { CheckoutHandle, Unpublished, Workdir } from '../../workdir/port.ts';

const MOST_NAMED = 5;

export async function leftOver(
  workdir: Pick<Workdir, 'unpublished'>,
  checkout: CheckoutHandle,
  of: { published: string | null; since: number },
): Promise<string[]> {
  return await workdir.unpublished(checkout, of).then(leftOverSentences, () => [UNKNOWN]);
}

const UNKNOWN = 'My working copy cannot be read, so I cannot say whether something in it is not published.';

export function leftOverSentences({ dirtyFiles, branches }: Unpublished): string[] {
  const files = dirtyFiles.slice(0, MOST_NAMED).map(asCode).join(', ');
  const more = dirtyFiles.length - MOST_NAMED;
  return [
    ...(dirtyFiles.length === 0
      ? []
      : [
          `Not committed, so not published: ${files}${more > 0 ? ` and ${more} more` : ''}. Ask me to commit what should be kept.`,
        ]),
    ...branches.slice(0, MOST_NAMED).map(({ name, commits }) => {
      const what = commits === 1 ? '1 commit' : `${commits} commits`;
      const where = name === null ? 'on no branch' : `on the branch ${asCode(name)}`;
      return `Not published: ${what} ${where} of my working copy. Ask me to bring them to the branch of this conversation.`;
    }),
  ];
}

/** Names are the agent's: they end neither the code they stand in nor the line. */
function asCode(name: string): string {
  return `\`${name.slice(0, 200).replace(/[`\u0000-\u001f\u007f-\u009f]/g, '?')}\``;
}
