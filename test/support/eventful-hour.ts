/**
 * An hour on a pocket forge in which everything happens that a webhook may tell: each kind of event, on issues and pull
 * requests. `tick` lets some time go by; acts of one call share a second, as on a forge.
 */

import type { PocketForge } from '../../rehearsal/pocket-forge.ts';
import { commitAndPush, git } from '../../rehearsal/pocket-forge-trial.ts';

export interface Hour {
  forge: PocketForge;
  /** `owner/name` */
  repo: string;
  /** of a clone that may push */
  clone: string;
  /** who does what: the owner, and somebody who may write */
  owner: string;
  writer: string;
  agent: string;
  tick: () => void;
}

/** What was there, and told, before the hour. */
export interface Known {
  issue: number;
  /** waits to be answered, and is deleted within the hour */
  doomed: number;
  /** is edited within the hour */
  edited: number;
  pull: number;
}

export interface Played {
  /** a comment that an agent would have been told of, and that is gone */
  deleted: number;
  /** the heads on which CI ran */
  shas: string[];
  issues: number[];
  pulls: number[];
}

export async function playHour(hour: Hour): Promise<Played> {
  const issues = await playIssues(hour);
  const pulls = await playPulls(hour);
  return { ...issues, ...pulls };
}

/** What an hour finds there already: an issue and a pull request on which the agent has work, and comments. */
export async function playBefore({ forge, repo, clone, owner, writer, agent, tick }: Hour): Promise<Known> {
  const ada = forge.as(owner);
  const bo = forge.as(writer);
  const issue = await ada.createIssue(repo, { title: 'Known', body: 'Before.', assignees: [agent] });
  tick();
  const doomed = await bo.comment(repo, issue.number, `And @${agent}, look at May, too.`);
  tick();
  const edited = await bo.comment(repo, issue.number, 'I have a question.');
  tick();
  await commitAndPush(clone, { branch: 'known', file: 'known.txt', content: 'one' });
  tick();
  const pull = await bo.openPull(repo, { title: 'Known pull', body: 'b', head: 'known', base: 'main' });
  tick();
  await ada.assign(repo, pull.number, [agent]);
  tick();
  await git(clone, 'checkout', '-q', 'main');
  return { issue: issue.number, doomed: doomed.id, edited: edited.id, pull: pull.number };
}

/** What happens within the hour to what was known before. Answers the heads on which CI ran. */
export async function playOnKnown(hour: Hour, known: Known): Promise<string[]> {
  const { forge, repo, clone, owner, writer, agent, tick } = hour;
  const ada = forge.as(owner);
  const bo = forge.as(writer);
  const then = async <T>(act: Promise<T>): Promise<T> => {
    const done = await act;
    tick();
    return done;
  };
  await then(bo.editComment(repo, known.edited, `I have a question, @${agent}: why?`));
  await then(bo.deleteComment(repo, known.doomed));
  await then(bo.label(repo, known.issue, ['known']));
  await then(ada.assign(repo, known.issue, [agent, owner]));
  await then(ada.assign(repo, known.issue, [agent]));
  await then(bo.comment(repo, known.issue, 'One more thing.'));
  await then(ada.close(repo, known.issue));
  await then(ada.reopen(repo, known.issue));
  await then(ada.editIssue(repo, known.issue, { body: 'After.' }));
  await git(clone, 'checkout', '-q', 'known');
  const push = (content: string) =>
    then(commitAndPush(clone, { branch: 'known', file: 'known.txt', content }));
  const failing = await push('two');
  await then(ada.actionRun(repo, { sha: failing, status: 'failure', workflow: 'ci.yaml', pull: known.pull }));
  const passing = await push('three');
  await then(ada.actionRun(repo, { sha: passing, status: 'success', workflow: 'ci.yaml', pull: known.pull }));
  await then(ada.review(repo, known.pull, { event: 'REQUEST_CHANGES', body: 'Rename it.' }));
  await then(bo.comment(repo, known.pull, 'Renamed.'));
  await then(bo.close(repo, known.pull));
  await then(bo.reopen(repo, known.pull));
  await then(ada.merge(repo, known.pull, { style: 'merge' }));
  await git(clone, 'checkout', '-q', 'main');
  return [failing, passing];
}

async function playIssues({ forge, repo, owner, writer, agent, tick }: Hour) {
  const ada = forge.as(owner);
  const bo = forge.as(writer);
  const then = async <T>(act: Promise<T>): Promise<T> => {
    const done = await act;
    tick();
    return done;
  };
  const one = await then(ada.createIssue(repo, { title: 'Totals are wrong', body: 'See June.' }));
  const two = await then(
    ada.createIssue(repo, { title: 'Born busy', body: 'b', assignees: [agent, writer], labels: ['bug'] }),
  );
  await then(ada.assign(repo, one.number, [agent]));
  await then(ada.assign(repo, one.number, [agent, owner, writer]));
  await then(ada.assign(repo, one.number, [agent]));
  await then(bo.label(repo, one.number, ['bug', 'urgent']));
  await then(bo.unlabel(repo, one.number, ['bug']));
  await then(bo.setLabels(repo, one.number, ['a', 'b', 'c']));
  await then(bo.setLabels(repo, one.number, [], { clear: true }));
  await then(ada.editIssue(repo, one.number, { title: 'Totals of June are wrong' }));
  const said = await then(bo.comment(repo, one.number, `What about July, @${agent}?`));
  await then(bo.editComment(repo, said.id, `What about August, @${agent}?`));
  const gone = await then(ada.comment(repo, one.number, 'Never mind.'));
  await then(ada.comment(repo, two.number, 'A second issue.'));
  await then(bo.deleteComment(repo, gone.id).catch(() => ada.deleteComment(repo, gone.id)));
  await then(ada.close(repo, one.number));
  await then(ada.reopen(repo, one.number));
  await then(ada.assign(repo, two.number, [writer]));
  await then(ada.editIssue(repo, two.number, { body: 'Another body.' }));
  return { deleted: gone.id, issues: [one.number, two.number] };
}

async function playPulls({ forge, repo, clone, owner, writer, agent, tick }: Hour) {
  const ada = forge.as(owner);
  const bo = forge.as(writer);
  const then = async <T>(act: Promise<T>): Promise<T> => {
    const done = await act;
    tick();
    return done;
  };
  const push = (branch: string, content: string) =>
    then(commitAndPush(clone, { branch, file: `${branch}.txt`, content }));
  await push('feature', 'one');
  const pull = await then(bo.openPull(repo, { title: 'Feature', body: 'b', head: 'feature', base: 'main' }));
  const { number } = pull;
  await then(ada.assign(repo, number, [agent]));
  await then(ada.label(repo, number, ['bug']));
  await then(
    ada.requestReview(
      repo,
      number,
      [agent, owner].filter((login) => login !== writer),
    ),
  );
  await then(ada.withdrawReviewRequest(repo, number, [owner]));
  await then(ada.review(repo, number, { event: 'REQUEST_CHANGES', body: 'Not yet.' }));
  const comments = [{ path: 'README.md', body: 'Here.', new_position: 1 }];
  const review = await then(ada.review(repo, number, { event: 'COMMENT', body: 'A remark.', comments }));
  const inline = forge.state.reviews.find(({ id }) => id === review.id)!.comments[0]!;
  await then(bo.reply(repo, number, inline.id, 'Why?'));
  await then(bo.comment(repo, number, 'Done soon.'));
  const head = await push('feature', 'two');
  await then(ada.actionRun(repo, { sha: head, status: 'failure', workflow: 'ci.yaml', pull: number }));
  const last = await push('feature', 'three');
  await then(ada.actionRun(repo, { sha: last, status: 'success', workflow: 'ci.yaml', pull: number }));
  await then(bo.editIssue(repo, number, { title: 'The feature' }));
  await then(ada.review(repo, number, { event: 'APPROVED', body: 'Good.' }));
  await then(ada.assign(repo, number, []));
  await then(bo.close(repo, number));
  await then(bo.reopen(repo, number));
  await then(ada.merge(repo, number, { style: 'merge' }));
  await git(clone, 'checkout', '-q', 'main');
  await push('other', 'one');
  const other = await then(ada.openPull(repo, { title: 'Other', body: 'b', head: 'other', base: 'main' }));
  await then(bo.close(repo, other.number));
  return { shas: [head, last], pulls: [number, other.number] };
}
