import type { Guard } from './guards.ts';

/** Of the check that everybody believes: it must not be green for the wrong reason. */
export const SMOKE_GUARDS: Guard[] = [
  {
    name: 'smoke without the archive',
    keeps: 'a folder that forgets from being mended behind the check’s back',
    off: [{ file: 'src/smoke/turn.ts', find: 'archive: false,', replace: 'archive: true,' }],
    tests: { files: ['src/smoke/broken-layouts.test.ts'], named: 'what the last check has left' },
  },
  {
    name: 'smoke and the rung',
    keeps: 'a session that was rebuilt from our record from passing as one that was resumed',
    off: [
      {
        file: 'src/smoke/continuity.ts',
        find: "if (outcome.continuity === 'resumed' && isThere) {",
        replace: 'if (isThere) {',
      },
    ],
    tests: { files: ['src/smoke/broken-layouts.test.ts'], named: 'what the last check has left' },
  },
  {
    name: 'smoke looks from outside',
    keeps: 'a tmpfs or a copy in the place of the volume from passing',
    off: [{ file: 'src/smoke/layout.ts', find: 'if (!seen.arrived || ', replace: 'if (' }],
    tests: { files: ['src/smoke/broken-layouts.test.ts'], named: 'a copy stands in' },
  },
  {
    name: 'doctor’s test delivery',
    keeps: 'a hook with another secret from being called sound',
    off: [
      {
        file: 'src/doctor/test-delivery.ts',
        find: 'ACCEPTED.includes(outcome)',
        replace: "ACCEPTED.concat('signature-wrong').includes(outcome)",
      },
    ],
    tests: { files: ['src/doctor/hooks.test.ts'], named: 'another secret' },
  },
];
