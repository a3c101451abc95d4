import type { Guard } from './guard.ts';

/** Of the check that everybody believes: it must not be green for the wrong reason. */
export const SMOKE_GUARDS: Guard[] = [
  {
    name: 'smoke without the archive',
    keeps: 'a folder that forgets from being mended behind the check’s back',
    off: [{ mark: 'smoke without the archive', becomes: 'archive: true,' }],
    tests: { files: ['src/checks/probe/broken-layouts.test.ts'], named: 'what the last check has left' },
  },
  {
    name: 'smoke and the rung',
    keeps: 'a session that was rebuilt from our record from passing as one that was resumed',
    off: [{ mark: 'smoke and the rung', lines: 1, becomes: 'if (isThere) {' }],
    tests: { files: ['src/checks/probe/broken-layouts.test.ts'], named: 'what the last check has left' },
  },
  {
    name: 'smoke looks from outside',
    keeps: 'a tmpfs or a copy in the place of the volume from passing',
    off: [
      {
        mark: 'smoke looks from outside',
        lines: 1,
        becomes: "if ((seen.written && said.get('seen') !== seen.value)) {",
      },
    ],
    tests: { files: ['src/checks/probe/broken-layouts.test.ts'], named: 'a copy stands in' },
  },
  {
    name: 'doctor’s test delivery',
    keeps: 'a hook with another secret from being called sound',
    off: [
      {
        mark: 'doctor’s test delivery',
        lines: 1,
        becomes: "return ACCEPTED.concat('signature-wrong').includes(outcome)",
      },
    ],
    tests: { files: ['src/checks/hooks.test.ts'], named: 'another secret' },
  },
];
