/** The runtimes that programs are run with, as an operator chooses them: by the environment. */
export const runtimes: readonly { readonly name: string; readonly env: Readonly<Record<string, string>> }[] = [
  { name: 'inline', env: { VOLO_RUNTIME: 'inline' } },
  { name: 'tokio', env: { VOLO_RUNTIME: 'tokio', VOLO_THREADS: '2' } },
  { name: 'monoio', env: { VOLO_RUNTIME: 'monoio', VOLO_THREADS: '2' } },
]
