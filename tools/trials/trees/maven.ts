import type { Files, Trial } from '../trial.ts';

const PLUGINS = { compiler: '3.10.1', install: '3.1.0', jar: '3.3.0', resources: '3.3.0', surefire: '2.22.3' };

/** Tests run in Maven's own process: starting another for each module is most of what these would take. */
const SUREFIRE = `<configuration>
          <forkCount>0</forkCount>
          <systemPropertyVariables><sum>\${sum}</sum></systemPropertyVariables>
        </configuration>`;

const PARENT = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>example</groupId>
  <artifactId>all</artifactId>
  <version>1.0</version>
  <packaging>pom</packaging>
  <modules>
    <module>greet</module>
    <module>money</module>
    <module>shop</module>
  </modules>
  <properties>
    <maven.compiler.release>17</maven.compiler.release>
    <project.build.sourceEncoding>UTF-8</project.build.sourceEncoding>
    <sum>3</sum>
  </properties>
  <dependencies>
    <dependency>
      <groupId>junit</groupId>
      <artifactId>junit</artifactId>
      <version>4.x</version>
      <scope>test</scope>
    </dependency>
  </dependencies>
  <build>
    <pluginManagement>
      <plugins>
${Object.entries(PLUGINS)
  .map(([name, version]) => {
    const settings = name === 'surefire' ? SUREFIRE : '';
    return `        <plugin><artifactId>maven-${name}-plugin</artifactId><version>${version}</version>${settings}</plugin>`;
  })
  .join('\n')}
      </plugins>
    </pluginManagement>
  </build>
</project>
`;

const NEEDS_MONEY = `  <dependencies>
    <dependency>
      <groupId>example</groupId>
      <artifactId>money</artifactId>
      <version>1.0</version>
    </dependency>
  </dependencies>
`;

const child = (name: string, needs: string): string => `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <parent>
    <groupId>example</groupId>
    <artifactId>all</artifactId>
    <version>1.0</version>
  </parent>
  <artifactId>${name}</artifactId>
${needs}</project>
`;

/** A module with a class that adds, by what it says it adds with, and a test of it. */
function moduleOf(name: string, type: string, sum: string, needs = ''): Files {
  const main = `package example.${name};

public final class ${type} {
  public static long add(long one, long other) {
    return ${sum};
  }
}
`;
  const test = `package example.${name};

import static org.junit.Assert.assertEquals;

import org.junit.Test;

public class ${type}Test {
  @Test
  public void adds() {
    assertEquals((long) Long.getLong("sum"), ${type}.add(1, 2));
  }
}
`;
  return {
    [`${name}/pom.xml`]: child(name, needs),
    [`${name}/src/main/java/example/${name}/${type}.java`]: main,
    [`${name}/src/test/java/example/${name}/${type}Test.java`]: test,
  };
}

/** A reactor of modules that inherit from a parent, and a mirror in a folder in place of a repository on the network. */
export const maven: Trial = {
  name: 'maven',
  toolchain: 'maven',
  files: (material) => ({
    '.mvn/maven.config': '--settings\n.mvn/settings.xml\n',
    '.mvn/settings.xml': `<settings>
  <mirrors>
    <mirror>
      <id>folder</id>
      <url>file://${material}/usr/share/maven-repo</url>
      <mirrorOf>*</mirrorOf>
    </mirror>
  </mirrors>
</settings>
`,
    'pom.xml': PARENT,
    ...moduleOf('greet', 'Greet', 'one + other'),
    ...moduleOf('money', 'Money', 'one + other'),
    ...moduleOf('shop', 'Shop', 'example.money.Money.add(one, other)', NEEDS_MONEY),
  }),
  jobs: ['build', 'test'],
  bugs: [
    {
      what: 'a bug in a module that another needs',
      path: 'money/src/main/java/example/money/Money.java',
      from: 'one + other',
      to: 'one - other',
      outcomes: { build: 'succeeded', test: 'failed' },
      told: /Tests run: 1, Failures: 1[^]* in example\.money\.MoneyTest/u,
    },
    {
      what: 'a bug of tests that nobody else notices',
      path: 'greet/src/test/java/example/greet/GreetTest.java',
      from: 'add(1, 2)',
      to: 'add(2, 2)',
      outcomes: { test: 'failed' },
      told: /Tests run: 1, Failures: 1[^]* in example\.greet\.GreetTest/u,
    },
    {
      what: 'what all modules inherit, so that tests of several fail that do not need each other',
      path: 'pom.xml',
      from: '<sum>3',
      to: '<sum>4',
      outcomes: { build: 'succeeded', test: 'failed' },
      told: /Failures: 1[^]* in example\.greet\.GreetTest[^]*Failures: 1[^]* in example\.money\.MoneyTest/u,
    },
  ],
};
