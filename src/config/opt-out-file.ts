/** On the default branch it keeps agents from working in the repository; what stands in it does not matter. */
export const OPT_OUT_FILE = '.claude-hooks/no-agents';
