/** Installing volo-js from a registry into an empty project, with neither a compiler nor install scripts, and running there. */
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import test from 'ava'

import { addonFile, platformSuffix } from '../../scripts/lib/paths.mjs'
import { LINES, nodeOf } from '../../scripts/lib/nodes.mjs'
import { must } from '../../scripts/lib/process.mjs'
import { layProject } from '../../scripts/lib/project.mjs'
import { bareNpm, install, installedProject, projectCopy, registryOf, runNode } from './installed.mjs'

const suffix = platformSuffix()

test('npm brings the package of this platform, and nothing is built', async (t) => {
  const project = await installedProject()
  t.deepEqual(
    readdirSync(join(project, 'node_modules'))
      .filter((name) => !name.startsWith('.'))
      .sort(),
    ['commander', 'volo-js', `volo-js-${suffix}`],
  )
  t.true(existsSync(join(project, 'node_modules', `volo-js-${suffix}`, addonFile())))
  t.deepEqual(
    readdirSync(join(project, 'node_modules', 'volo-js')).filter((name) => name.endsWith('.node')),
    [],
  )
})

for (const line of LINES) {
  test(`server and client run on Node ${line}`, async (t) => {
    const { code, output } = await runNode(await installedProject(), ['smoke.mjs'], { node: await nodeOf(line) })
    t.is(output, 'answered 100\n')
    t.is(code, 0)
  })

  const flag = line === 20 ? '--experimental-permission' : '--permission'
  test(`under ${flag}, Node ${line} runs with --allow-addons and says so without it`, async (t) => {
    const project = await installedProject()
    const node = await nodeOf(line)
    const read = `--allow-fs-read=${project}/*`
    const granted = await runNode(project, ['--no-warnings', flag, read, '--allow-addons', 'smoke.mjs'], { node })
    t.is(granted.output, 'answered 100\n')
    const refused = await runNode(project, ['--no-warnings', flag, read, 'smoke.mjs'], { node })
    t.is(refused.code, 1)
    t.regex(refused.output, /start Node with --allow-addons/)
    // Node 20 does not hold `require` to what may be read.
    if (line === 20) return
    // Every file may be read but those of the platform's package.
    const files = [
      'smoke.mjs',
      'items.mjs',
      'package.json',
      'volo-gen/*',
      'node_modules/volo-js/*',
      'node_modules/commander/*',
    ]
    const narrow = files.map((name) => `--allow-fs-read=${join(project, name)}`)
    const unread = await runNode(project, ['--no-warnings', flag, ...narrow, '--allow-addons', 'smoke.mjs'], { node })
    t.is(unread.code, 1)
    t.regex(unread.output, new RegExp(`--allow-fs-read=\\S+volo-js-${suffix}`), unread.output)
  })
}

test('--no-addons is named when it is at fault', async (t) => {
  const { code, output } = await runNode(await installedProject(), ['--no-addons', 'smoke.mjs'])
  t.is(code, 1)
  t.regex(output, /started with --no-addons/)
})

test('without the platform package the error tells the platform, the package and what to do', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'volo-js-omit-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  layProject(folder)
  await must({ ...bareNpm(install(await registryOf(t), ['--omit=optional'])), cwd: folder })
  const { code, output } = await runNode(folder, ['node_modules/volo-js/dist/cli/main.js', 'build', 'item.thrift'])
  t.is(code, 1)
  const { platform, arch, version } = process
  t.regex(output, new RegExp(`no native addon that loads here: ${platform} ${arch}.*, Node ${version.slice(1)}\\.`))
  t.regex(output, new RegExp(`The package volo-js-${suffix} is not installed\\. .*--omit=optional`))
  t.regex(output, new RegExp(`npm install volo-js-${suffix}@`))
})

test('a broken binary is named with the reason', async (t) => {
  const folder = await projectCopy(t)
  writeFileSync(join(folder, 'node_modules', `volo-js-${suffix}`, addonFile()), 'not a library')
  const { code, output } = await runNode(folder, ['smoke.mjs'])
  t.is(code, 1)
  t.regex(output, new RegExp(`- volo-js-${suffix}: .*${addonFile().replaceAll('.', '\\.')}`))
  t.regex(output, /does not fit this system/)
})

test('VOLO_ADDON goes before everything, and is named when it is at fault', async (t) => {
  const folder = await installedProject()
  const file = join(folder, 'nothing.node')
  const { code, output } = await runNode(folder, ['smoke.mjs'], { env: { VOLO_ADDON: file } })
  t.is(code, 1)
  t.regex(output, /VOLO_ADDON names \S+nothing\.node, which does not exist/)
})
