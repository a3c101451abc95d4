import { type Attempt, type Audited, canary, type Target } from '../attempt.ts';

/** A commit on main with one file in it, made beside the checkout's own index. */
const commit = (path: string, content: string, env = '') =>
  `GIT_INDEX_FILE=/state/tmp/index-$$ bash -c '
set -e; git read-tree origin/main; blob=$(printf %b "${content}" | git hash-object -w --stdin)
git update-index --add --cacheinfo 100644,$blob,"${path}"
${env} git commit-tree -p origin/main -m Work $(git write-tree)'`;

const push = (refs: string, made = commit('work.txt', 'work')) =>
  `sha=$(${made}) && git push ${refs.replaceAll('SHA', '$sha')} 2>&1 && echo SUCCEEDED`;

const denied = (action: RegExp): Audited => ({ door: 'git', action, decision: 'denied' });
const RELAY = '/run/claude-hooks/relay';
const readOnly = (what: string, path: string): Attempt => ({
  name: `write to ${what}`,
  script: `touch ${path}/x && echo SUCCEEDED; for f in ${path}/*; do [ -f "$f" ] && echo >>"$f" && echo "SUCCEEDED $f"; done; rm -rf ${path}/* 2>&1 | head -3; mv ${path} ${path}-away && echo SUCCEEDED`,
  shows: /Read-only file system/,
});

export const pushes = (_at: Target): Attempt[] => [
  {
    name: 'push to the default branch',
    script: push('origin SHA:refs/heads/main'),
    shows: /remote: .*"main" is changed by pull requests only/,
    audit: denied(/push/),
  },
  {
    name: "push to another agent's branch",
    script: push('origin SHA:refs/heads/reviewer/1-x'),
    shows: /remote: .*is not yours to push/,
    audit: denied(/reviewer\/1-x/),
  },
  {
    name: "push to another item's branch",
    script: push('origin SHA:refs/heads/dev/2-x'),
    shows: /remote: .*is not yours to push/,
    audit: denied(/dev\/2-x/),
  },
  {
    name: 'push a tag',
    script: push('origin SHA:refs/tags/v9'),
    shows: /remote: .*Only branches may be pushed/,
    audit: denied(/v9/),
  },
  {
    name: 'delete a branch',
    script: 'git push origin :refs/heads/main 2>&1 && echo SUCCEEDED',
    shows: /remote: .*is changed by pull requests only/,
    audit: denied(/push/),
  },
  {
    name: "push over others' commits",
    script: push('--force origin SHA:refs/heads/dev/1-other'),
    shows: /remote: .*Others' work is on dev\/1-other/,
    audit: denied(/dev\/1-other/),
  },
  {
    name: 'push a workflow file',
    script: push('origin SHA:refs/heads/dev/1-w', commit('.Forgejo/workflows/x.yml', 'on: push')),
    shows: /remote: .*is a workflow file/,
    audit: denied(/dev\/1-w/),
  },
  {
    name: "push a commit in another's name",
    script: push(
      'origin SHA:refs/heads/dev/1-n',
      commit('a', 'a', 'GIT_COMMITTER_NAME=ada GIT_COMMITTER_EMAIL=ada@example.com'),
    ),
    shows: /remote: .*is committed by/,
    audit: denied(/dev\/1-n/),
  },
  {
    name: 'push a submodule whose address is a program',
    script: push(
      'origin SHA:refs/heads/dev/1-s',
      commit('.gitmodules', '[submodule \\"x\\"]\\n\\tpath = x\\n\\turl = ext::sh -c id\\n'),
    ),
    shows: /remote: .*would run a program|remote: .*gitmodules/,
    audit: denied(/dev\/1-s/),
  },
  {
    name: 'push more than fits',
    script: `sha=$(GIT_INDEX_FILE=/state/tmp/index-big bash -c 'set -e; git read-tree origin/main; blob=$(head -c 3000000 /dev/urandom | git hash-object -w --stdin); git update-index --add --cacheinfo 100644,$blob,big; git commit-tree -p origin/main -m Big $(git write-tree)') && git push origin $sha:refs/heads/dev/1-big 2>&1 && echo SUCCEEDED`,
    shows: /remote: .*larger than \d+ bytes/,
    audit: denied(/push/),
  },
  {
    name: 'a request forged in the outbox, for the default branch',
    script: `cd ${RELAY}/outbox && printf '%s %s refs/heads/main\\n' $(git -C "$OLDPWD" rev-parse origin/main) $(printf '1%.0s' $(seq 40)) >push-77-1.refs && : >push-77-1.ready
while [ ! -e ${RELAY}/answers/push-77-1.answer ]; do sleep 0.1; done; cat ${RELAY}/answers/push-77-1.answer`,
    shows: /^no\n.*"main" is changed by pull requests only/m,
    audit: denied(/push/),
  },
];

export const mounts = (at: Target): Attempt[] => [
  readOnly('the answers of the worker', `${RELAY}/answers`),
  readOnly("the relay's programs", `${RELAY}/programs`),
  readOnly('the mirror', '/run/claude-hooks/origin.git'),
  {
    name: 'write to the CLI, to /usr and to /etc',
    script: `for f in "$(readlink /proc/$PPID/exe)" /usr/bin/git /etc/passwd /usr/bin/x /etc/x; do : >>$f && echo "SUCCEEDED $f"; done`,
    shows: /Read-only file system/,
  },
  {
    name: 'links, pipes and odd names in the outbox',
    script: `cd ${RELAY}/outbox; ln -s ${at.configFile} push-78-1.refs; ln -s /etc/shadow push-78-1.pack; : >push-78-1.ready
mkfifo push-79-1.refs; : >push-79-1.ready; ln -s /etc/shadow push-80-1.ready; ln ../push.git/HEAD push-81-1.refs 2>&1; : >push-81-1.ready
touch -- '-rf' 'push-1-1.ready;touch x' $'a\\nb' $'\\e[31m'; mkdir push-82-1.ready
for n in 78 79; do while [ ! -e ${RELAY}/answers/push-$n-1.answer ]; do sleep 0.1; done; cat ${RELAY}/answers/push-$n-1.answer; done`,
    shows: /^no\n.*link, a device or unreadable[\s\S]*^no\n.*not a plain file/m,
    audit: denied(/^outbox /),
  },
  {
    name: 'hooks, settings and alternates of the repository that is pushed to',
    script: `cd ${RELAY}/push.git; mkdir -p hooks; for h in post-receive post-update reference-transaction pre-receive update; do printf '#!/bin/sh\\n${canary(at, 'push.git')}\\n' >hooks/$h; chmod +x hooks/$h; done
git config core.fsmonitor '${canary(at, 'push.git')}'; git config uploadpack.packObjectsHook '${canary(at, 'push.git')}'; git config core.hooksPath "$PWD/hooks"; echo /etc >objects/info/alternates; echo planted`,
    shows: /planted/,
  },
];
