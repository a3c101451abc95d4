import type { Guard } from './guard.ts';

const DOOR = { files: ['src/mcp-door.test.ts'] };
const PICTURES = { files: ['src/pictures.test.ts'] };

/** MCP servers of the operator, and pictures of others. */
export const MCP_GUARDS: Guard[] = [
  {
    name: 'mcp: tools that must be there',
    keeps: 'an agent from beginning without a tool that it must have',
    off: [{ mark: 'mcp: tools that must be there', becomes: '' }],
    tests: { ...DOOR, named: 'all of them must be there' },
  },
  {
    name: 'mcp: the list of tools',
    keeps: 'a run from being offered a tool that is not on the list',
    off: [{ mark: 'mcp: the list of tools', becomes: 'const meant = listed;' }],
    tests: { ...DOOR, named: 'only the tools of the list' },
  },
  {
    name: 'mcp: schemas that point elsewhere',
    keeps: 'one tool’s schema from having every request of the run refused',
    off: [{ mark: 'mcp: schemas that point elsewhere', becomes: 'return null;' }],
    tests: { ...DOOR, named: 'is shown with its schemas' },
  },
  {
    name: 'mcp: shut for a restricted run',
    keeps: 'a run that has read strangers’ words from calling tools of a server',
    off: [{ mark: 'mcp: shut for a restricted run', becomes: '' }],
    tests: { ...DOOR, named: 'a restricted run' },
  },
  {
    name: 'mcp: opened to a restricted run only by its agent’s file',
    keeps: 'the door from standing open to a restricted run',
    off: [
      {
        mark: 'mcp: opened to a restricted run only by its agent’s file',
        becomes: 'restriction: () => null,',
      },
    ],
    tests: { files: ['src/dispatch/converse/mcp-servers.test.ts'] },
  },
  {
    name: 'mcp: words of an answer with data',
    keeps: 'the words of a server from being hidden behind data that it sends beside them',
    off: [
      {
        mark: 'mcp: words of an answer with data',
        becomes:
          'if (result.structuredContent !== undefined) texts.splice(0, 9, JSON.stringify(result.structuredContent));',
      },
    ],
    tests: { ...DOOR, named: 'is shown with its schemas' },
  },
  {
    name: 'mcp: calls of a dispatch',
    keeps: 'a run from calling a server without end',
    off: [{ mark: 'mcp: calls of a dispatch', becomes: '' }],
    tests: { ...DOOR, named: 'a restricted run' },
  },
  {
    name: 'mcp: dispatches at once',
    keeps: 'a server of one user from serving two dispatches',
    off: [{ mark: 'mcp: dispatches at once', becomes: 'return () => {};' }],
    tests: { ...DOOR, named: 'one dispatch after the other' },
  },
  {
    name: 'mcp: turns are taken in one order',
    keeps: 'two runs from waiting for ever for each other’s server',
    off: [{ mark: 'mcp: turns are taken in one order', becomes: 'const inOrder = run.servers;' }],
    tests: { ...DOOR, named: 'two runs that need the same two servers' },
  },
  {
    name: 'mcp: restarts are bounded',
    keeps: 'a server that dies at once from being started without end',
    off: [{ mark: 'mcp: restarts are bounded', becomes: '' }],
    tests: { ...DOOR, named: 'not for ever' },
  },
  {
    name: 'mcp: secrets in answers',
    keeps: 'a secret of the configuration from reaching the agent in an answer',
    off: [{ mark: 'mcp: secrets in answers', becomes: 'void secrets;' }],
    tests: { ...DOOR, named: 'without its secrets' },
  },
  {
    name: 'mcp: the secret goes to one address',
    keeps: 'the header of a server from being sent where it redirects to',
    off: [{ mark: 'mcp: the secret goes to one address', becomes: "redirectPolicy: 'follow'," }],
    tests: { ...DOOR, named: 'a redirect to another address' },
  },
  {
    name: 'mcp: the length of a text',
    keeps: 'an answer from filling the model’s context',
    off: [{ mark: 'mcp: the length of a text', becomes: 'return text;' }],
    tests: { ...DOOR, named: 'is shown with its schemas' },
  },
  {
    name: 'mcp: the size of an answer by HTTP',
    keeps: 'an answer without end from filling the memory of the service',
    off: [{ mark: 'mcp: the size of an answer by HTTP', becomes: 'return to.enqueue(piece);' }],
    tests: { ...DOOR, named: 'a server by http' },
  },
  {
    name: 'mcp: the size of an answer',
    keeps: 'a line without end from filling the memory of the service',
    off: [{ mark: 'mcp: the size of an answer', becomes: 'maxBufferSize: 1024 ** 3,' }],
    tests: { ...DOOR, named: 'a server by stdio' },
  },
  {
    name: 'pictures: largest',
    keeps: 'bytes without end from being handed to a decoder',
    off: [{ mark: 'pictures: largest', becomes: '' }],
    tests: { ...PICTURES, named: 'hostile' },
  },
  {
    name: 'pictures: the kind is in the bytes',
    keeps: 'a text that calls itself a picture from being taken for one',
    off: [{ mark: 'pictures: the kind is in the bytes', becomes: '' }],
    tests: { ...PICTURES, named: 'hostile' },
  },
  {
    name: 'pictures: pixels before decoding',
    keeps: 'a small file of a huge picture from being decoded',
    off: [{ mark: 'pictures: pixels before decoding', becomes: '' }],
    tests: { ...PICTURES, named: 'hostile' },
  },
  {
    name: 'pictures: memory of the decoder',
    keeps: 'a picture from taking the memory of the whole machine',
    off: [
      {
        mark: 'pictures: memory of the decoder',
        becomes: "['--data=unlimited', process.execPath, '--disable-warning=ExperimentalWarning', SCRIPT],",
      },
    ],
    tests: { files: ['src/pictures/decoder.test.ts'], named: 'a limit of memory' },
  },
  {
    name: 'pictures: from the forge alone',
    keeps: 'a text from making the service ask an address that its author names',
    off: [
      {
        mark: 'pictures: from the forge alone',
        becomes: "const path = address.replace(/^.*(?=attachments)/, '');\nvoid base;",
      },
    ],
    tests: { files: ['src/dispatch/converse/picture-links.test.ts'] },
  },
  {
    name: 'pictures: attached to this very text',
    keeps: 'a file of another repository from being described here',
    off: [
      {
        mark: 'pictures: attached to this very text',
        becomes:
          "const found = { id, name: '', bytes: 0, address: '' } as Attachment | undefined;\nvoid attachments;",
      },
    ],
    tests: { files: ['src/dispatch/converse/prompt-pictures.test.ts'], named: 'hostile ones' },
  },
  {
    name: 'pictures: bytes of a prompt',
    keeps: 'many large files from being fetched for one prompt',
    off: [{ mark: 'pictures: bytes of a prompt', becomes: '' }],
    tests: { files: ['src/dispatch/converse/prompt-pictures.test.ts'], named: 'no more bytes' },
  },
  {
    name: 'pictures: most of a prompt',
    keeps: 'a prompt from having pictures without end',
    off: [{ mark: 'pictures: most of a prompt', becomes: 'return unique;' }],
    tests: { files: ['src/dispatch/converse/prompt-pictures.test.ts'], named: 'of many the newest' },
  },
  {
    name: 'pictures: the token stays with the forge',
    keeps: 'the account’s token from following a redirect of an attachment',
    off: [{ mark: 'pictures: the token stays with the forge', becomes: "redirect: 'follow'," }],
    tests: {
      files: ['src/dispatch/converse/prompt-pictures.test.ts'],
      named: 'the token to the forge alone',
    },
  },
  {
    name: 'pictures: a refused one is not sent again',
    keeps: 'a picture that the model’s side does not take from costing the session',
    off: [{ mark: 'pictures: a refused one is not sent again', becomes: 'return false;' }],
    tests: { files: ['test/pictures.test.ts'], named: 'does not take' },
  },
  {
    name: 'checkout file: no link in its path',
    keeps: 'a folder that is a link from leading out of the checkout',
    off: [
      {
        mark: 'checkout file: no link in its path',
        becomes: 'folder = await open(`/proc/self/fd/${folder.fd}/${step}`, O_RDONLY | O_DIRECTORY);',
      },
    ],
    tests: { files: ['src/broker/picture.test.ts'], named: 'nothing beyond the checkout' },
  },
  {
    name: 'checkout file: no link',
    keeps: 'a link from being followed out of the checkout',
    off: [{ mark: 'checkout file: no link', becomes: 'const flags = O_RDONLY | O_NONBLOCK;' }],
    tests: { files: ['src/broker/picture.test.ts'], named: 'nothing beyond the checkout' },
  },
  {
    name: 'attach a picture once',
    keeps: 'a picture from being attached again by a repeated call',
    off: [
      {
        mark: 'attach a picture once',
        becomes: 'const same = undefined as Attachment | undefined;\nvoid there;',
      },
    ],
    tests: { files: ['src/broker/picture.test.ts'], named: 'attached once' },
  },
];
