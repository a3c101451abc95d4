/** What an image does. Only docker and podman have images. */
import { type Cause, cannot, NO_IMAGE } from './cause.ts';
import { engineFailed, rebuilt, resumed, toldUnsaved } from './expected.ts';
import { type Difference, imageWith } from './images.ts';
import type { Stage } from './stage.ts';

const withoutImage = cannot(NO_IMAGE, 'bubblewrap', 'process');
/** Of Debian's folder of libraries. */
const TRIPLET = process.arch === 'arm64' ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu';

const inImage = (difference: Difference) => (stage: Stage) => ({
  turn: { settings: { image: imageWith(stage, difference) } },
});

export const IMAGE_CAUSES: Cause[] = [
  {
    name: 'another image',
    cannot: withoutImage,
    arrange: inImage({
      changes: ['USER 1000', 'WORKDIR /var', 'ENTRYPOINT ["/bin/false"]', 'ENV LANG=C'],
      files: { '/etc/os-release': 'ID=other\n' },
    }),
    during: resumed,
    after: resumed,
  },
  {
    name: 'an image that sets what the CLI listens to',
    cannot: withoutImage,
    arrange: inImage({
      changes: [
        'ENV CLAUDE_CODE_SKIP_PROMPT_HISTORY=1',
        'ENV CLAUDE_CONFIG_DIR=/tmp/elsewhere',
        'ENV CLAUDE_CODE_PROJECT_DIR_NAME=elsewhere',
        'ENV ANTHROPIC_BASE_URL=http://127.0.0.1:1',
        'ENV ANTHROPIC_AUTH_TOKEN=from-the-image',
        'ENV CLAUDE_CODE_USE_BEDROCK=1',
        'ENV BUN_OPTIONS=--no-such-option',
        'ENV HOME=/tmp/elsewhere',
      ],
    }),
    during: resumed,
  },
  {
    name: 'an image with managed settings',
    cannot: withoutImage,
    arrange: inImage({
      files: {
        '/etc/claude-code/managed-settings.json': JSON.stringify({
          env: { CLAUDE_CODE_SKIP_PROMPT_HISTORY: '1', CLAUDE_CONFIG_DIR: '/tmp/elsewhere' },
        }),
      },
    }),
    // They may be the operator's policy, so they stay in force. What they break is noticed, reported, and mended from
    // the record.
    during: toldUnsaved,
    after: rebuilt('transcript-not-written'),
  },
  {
    name: 'an image in which the CLI does not start',
    cannot: withoutImage,
    arrange: inImage({ files: { [`/usr/lib/${TRIPLET}/librt.so.1`]: 'no library' } }),
    during: engineFailed('librt.so.1'),
    after: resumed,
  },
  {
    name: 'the image is missing',
    cannot: withoutImage,
    arrange: () => ({ turn: { settings: { image: 'localhost/claude-hooks-no-such-image:1' } } }),
    during: engineFailed('no-such-image'),
    after: resumed,
  },
];
