// SPDX-License-Identifier: BSD-2-Clause
#include <sys/stat.h>

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "enrich/container_state.h"
#include "enrich_tree.h"

namespace oomwitness {
namespace {

using testing::HasSubstr;

const std::string kId(64, 'c');
const std::string kUid = "8a8c7b0e-1f2d-4c3b-9a5e-0123456789ab";
const std::string kDockerConfig = "var/lib/docker/containers/" + kId + "/config.v2.json";
const std::string kTask = "run/containerd/io.containerd.runtime.v2.task/";
const std::string kStorage = "var/lib/containers/storage/overlay-containers/";

class ContainerStateTest : public testing::Test {
 protected:
  ContainerFacts read(const std::string& cgroup) const {
    return read_container(tree_.roots(), parse_cgroup_path(cgroup));
  }
  test::MadeTree tree_;
};

TEST_F(ContainerStateTest, Docker) {
  tree_.write(kDockerConfig, R"({"StreamConfig":{},"State":{"Running":true,"Name":"no"},"ID":")" +
                                 kId + R"(","Config":{"Hostname":"c","Image":"mongo:7","Labels":{}},
                                 "Image":"sha256:00","Name":"/db"})");
  const auto facts = read("/docker/" + kId);
  ASSERT_TRUE(facts.container);
  EXPECT_EQ(facts.container->runtime, "docker");
  EXPECT_EQ(facts.container->id, kId);
  EXPECT_EQ(facts.container->name, "db");
  EXPECT_EQ(facts.container->image, "mongo:7");
  EXPECT_FALSE(facts.pod);
  // It is in no pod: nothing is missing.
  EXPECT_THAT(facts.missing, testing::IsEmpty());
}

TEST_F(ContainerStateTest, DockerUnderTheKubelet) {
  tree_.write(kDockerConfig, R"({"Config":{"Image":"nginx@sha256:1","Labels":{
      "io.kubernetes.container.name":"web","io.kubernetes.pod.name":"web-0",
      "io.kubernetes.pod.namespace":"shop","io.kubernetes.pod.uid":")" +
                                 kUid + R"("}},"Name":"/k8s_web_web-0_shop_x_0"})");
  const auto facts = read("/kubepods/burstable/pod" + kUid + "/" + kId);
  ASSERT_TRUE(facts.container && facts.pod);
  EXPECT_EQ(facts.container->runtime, "docker");
  EXPECT_EQ(facts.pod->name, "web-0");
  EXPECT_EQ(facts.pod->ns, "shop");
  EXPECT_EQ(facts.pod->uid, kUid);
  EXPECT_EQ(facts.pod->container, "web");
}

const char* const kCriAnnotations = R"({"ociVersion":"1.1.0","process":{"args":["x"]},
    "linux":{"resources":{"annotations":"decoy"}},"annotations":{
    "io.kubernetes.cri.container-name":"app","io.kubernetes.cri.container-type":"container",
    "io.kubernetes.cri.image-name":"registry.example/app:1.2",
    "io.kubernetes.cri.sandbox-id":"s","io.kubernetes.cri.sandbox-name":"app-5d-x",
    "io.kubernetes.cri.sandbox-namespace":"prod"}})";

TEST_F(ContainerStateTest, ContainerdCri) {
  tree_.write(kTask + "k8s.io/" + kId + "/config.json", kCriAnnotations);
  const auto facts = read(
      "/kubepods.slice/kubepods-pod8a8c7b0e_1f2d_4c3b_9a5e_0123456789ab.slice"
      "/cri-containerd-" +
      kId + ".scope");
  ASSERT_TRUE(facts.container && facts.pod);
  EXPECT_EQ(facts.container->runtime, "containerd");
  EXPECT_EQ(facts.container->name, "app");
  EXPECT_EQ(facts.container->image, "registry.example/app:1.2");
  EXPECT_EQ(facts.pod->name, "app-5d-x");
  EXPECT_EQ(facts.pod->ns, "prod");
  EXPECT_EQ(facts.pod->uid, kUid);  // older containerd has no annotation for it: the path does
  EXPECT_TRUE(facts.missing.empty());
}

TEST_F(ContainerStateTest, ContainerdUnderCgroupfsAndK3s) {
  tree_.write("run/k3s/containerd/io.containerd.runtime.v2.task/k8s.io/" + kId + "/config.json",
              kCriAnnotations);
  const auto facts = read("/kubepods/pod" + kUid + "/" + kId);
  ASSERT_TRUE(facts.container);
  EXPECT_EQ(facts.container->runtime, "containerd");
}

TEST_F(ContainerStateTest, NerdctlAndCtr) {
  tree_.write(kTask + "default/" + kId + "/config.json",
              R"({"annotations":{"nerdctl/name":"cache","nerdctl/namespace":"default"}})");
  const auto nerdctl = read("/system.slice/nerdctl-" + kId + ".scope");
  ASSERT_TRUE(nerdctl.container);
  EXPECT_EQ(nerdctl.container->name, "cache");
  EXPECT_EQ(nerdctl.missing.count("container.image"), 1U);

  EXPECT_FALSE(read("/default/redis").container);
  tree_.write(kTask + "default/redis/config.json", R"({"ociVersion":"1.1.0"})");
  const auto ctr = read("/default/redis");
  ASSERT_TRUE(ctr.container);
  EXPECT_EQ(ctr.container->runtime, "containerd");
  EXPECT_EQ(ctr.container->id, "redis");
}

TEST_F(ContainerStateTest, CriO) {
  tree_.write(kStorage + kId + "/userdata/config.json", R"({"annotations":{
      "io.container.manager":"cri-o","io.kubernetes.container.name":"coredns",
      "io.kubernetes.cri-o.ImageName":"k8s.gcr.io/coredns:v1","io.kubernetes.pod.name":"dns-1",
      "io.kubernetes.pod.namespace":"kube-system","io.kubernetes.pod.uid":")" +
                                                            kUid + R"("}})");
  const auto facts = read("/kubepods/pod" + kUid + "/crio-" + kId);
  ASSERT_TRUE(facts.container && facts.pod);
  EXPECT_EQ(facts.container->runtime, "cri-o");
  EXPECT_EQ(facts.container->name, "coredns");
  EXPECT_EQ(facts.container->image, "k8s.gcr.io/coredns:v1");
  EXPECT_EQ(facts.pod->name, "dns-1");
  EXPECT_TRUE(facts.missing.empty());
}

TEST_F(ContainerStateTest, Podman) {
  tree_.write(kStorage + kId + "/userdata/config.json",
              R"({"annotations":{"io.container.manager":"libpod"}})");
  tree_.write(kStorage + "containers.json", R"([{"id":"other","names":["no"],"metadata":"{"},
      {"id":")" + kId + R"(","names":["stoic_cerf"],"image":"d7af",
      "metadata":"{\"image-name\":\"quay.io/httpd:latest\",\"name\":\"stoic_cerf\"}"}])");
  const auto facts = read("/machine.slice/libpod-" + kId + ".scope");
  ASSERT_TRUE(facts.container);
  EXPECT_EQ(facts.container->runtime, "podman");
  EXPECT_EQ(facts.container->name, "stoic_cerf");
  EXPECT_EQ(facts.container->image, "quay.io/httpd:latest");
}

TEST_F(ContainerStateTest, PodmanNamesWithoutMetadata) {
  tree_.write(kStorage + "containers.json",
              R"([{"id":")" + kId + R"(","names":["only"],"metadata":"not json"}])");
  const auto facts = read("/machine.slice/libpod-" + kId + ".scope");
  ASSERT_TRUE(facts.container);
  EXPECT_EQ(facts.container->name, "only");
  EXPECT_EQ(facts.missing.count("container.image"), 1U);
}

TEST_F(ContainerStateTest, NspawnAndVirtualMachines) {
  tree_.write("run/systemd/machines/web-1",
              "# This is private data. Do not parse.\nNAME=web-1\nCLASS=container\n"
              "SERVICE=systemd-nspawn\nROOT=/var/lib/machines/web-1\n");
  const std::string scope = "/machine.slice/machine-web\\x2d1.scope/payload";
  const auto facts = read(scope);
  ASSERT_TRUE(facts.container);
  EXPECT_EQ(facts.container->name, "web-1");
  EXPECT_EQ(facts.container->image, "/var/lib/machines/web-1");

  tree_.write("run/systemd/machines/web-1", "NAME=web-1\nCLASS=vm\n");
  const auto machine = read(scope);
  EXPECT_FALSE(machine.container);
  EXPECT_THAT(machine.missing.at("container"), HasSubstr("virtual machine"));
}

TEST_F(ContainerStateTest, Lxc) {
  tree_.write("var/lib/lxc/web/config", "# lxc\nlxc.rootfs.path = dir:/var/lib/lxc/web/rootfs\n");
  const auto facts = read("/lxc.payload.web");
  ASSERT_TRUE(facts.container);
  EXPECT_EQ(facts.container->name, "web");
  EXPECT_EQ(facts.container->image, "dir:/var/lib/lxc/web/rootfs");
  EXPECT_EQ(read("/lxc/101/ns").container->name, "101");
}

TEST_F(ContainerStateTest, PodsByTheKubeletsLogLinks) {
  tree_.link("var/log/containers/web-0_shop_web-" + kId + ".log", "/nowhere");
  tree_.link("var/log/containers/not-a-pod-" + kId + ".log", "/nowhere");
  const auto facts = read("/kubepods/pod" + kUid + "/" + kId);
  ASSERT_TRUE(facts.container && facts.pod);
  EXPECT_EQ(facts.container->name, "web");
  EXPECT_EQ(facts.pod->name, "web-0");
  EXPECT_EQ(facts.pod->ns, "shop");
  EXPECT_EQ(facts.pod->container, "web");
  EXPECT_EQ(facts.pod->uid, kUid);
}

TEST_F(ContainerStateTest, PodsByTheKubeletsLogFolders) {
  tree_.make_folder("var/log/pods/shop_web-0_" + kUid + "/web");
  const std::string cgroup = "/kubepods/pod" + kUid + "/" + kId;
  const auto facts = read(cgroup);
  ASSERT_TRUE(facts.pod);
  EXPECT_EQ(facts.pod->name, "web-0");
  EXPECT_EQ(facts.pod->ns, "shop");
  EXPECT_EQ(facts.pod->container, "web");

  tree_.make_folder("var/log/pods/shop_web-0_" + kUid + "/sidecar");
  EXPECT_EQ(read(cgroup).pod->container, "");
}

TEST_F(ContainerStateTest, APodThatNothingNamesKeepsItsUid) {
  const auto facts = read("/kubepods/pod" + kUid + "/" + kId);
  ASSERT_TRUE(facts.pod && facts.container);
  EXPECT_EQ(facts.pod->uid, kUid);
  EXPECT_EQ(facts.pod->name, "");
  EXPECT_EQ(facts.missing.count("pod.name"), 1U);
  EXPECT_EQ(facts.container->runtime, "");
  EXPECT_EQ(facts.missing.count("container.runtime"), 1U);
}

TEST_F(ContainerStateTest, MalformedStateIsUnknownWithAReason) {
  for (const std::string content : {"", "{", "[]", "null", "42", "\"x\"", "{\"Name\":",
                                    "\xff\xfe{}", "{\"Config\":[]", "{\"Name\":\"\xff\"}"}) {
    tree_.write(kDockerConfig, content);
    const auto facts = read("/docker/" + kId);
    ASSERT_TRUE(facts.container) << content;
    EXPECT_EQ(facts.container->runtime, "docker");
    EXPECT_EQ(facts.container->name, "") << content;
    EXPECT_THAT(facts.missing.at("container.name"), HasSubstr("config.v2.json")) << content;
  }
  for (const char* content : {"{}", R"({"Name":7,"Config":[]})", R"({"Config":{"Image":{}}})",
                              R"({"Config":{"Labels":[1],"Image":null}})"}) {
    tree_.write(kDockerConfig, content);
    EXPECT_EQ(read("/docker/" + kId).container->name, "") << content;
  }
  for (const char* content : {"{}", "[1,null,{\"id\":3}]", "[{\"id\":\"x\"}]"}) {
    tree_.write(kStorage + "containers.json", content);
    EXPECT_EQ(read("/machine.slice/libpod-" + kId + ".scope").container->name, "") << content;
  }
}

TEST_F(ContainerStateTest, DeepNestingDoesNotEndUs) {
  tree_.write(kDockerConfig, std::string(std::size_t{900} * 1024, '['));
  EXPECT_EQ(read("/docker/" + kId).missing.count("container.name"), 1U);
}

TEST_F(ContainerStateTest, OnlyRegularFilesOfBoundedSizeAreRead) {
  tree_.write(kDockerConfig, "{\"Name\":\"/" + std::string(std::size_t{1} << 20U, 'x') + "\"}");
  EXPECT_THAT(read("/docker/" + kId).missing.at("container.name"), HasSubstr("too large"));

  // Whoever can write there could point the reader anywhere, or make it wait for ever.
  tree_.write("secret", R"({"Name":"/secret"})");
  tree_.link(kDockerConfig, tree_.path("secret").string());
  EXPECT_EQ(read("/docker/" + kId).container->name, "");
  std::filesystem::remove(tree_.path(kDockerConfig));
  ASSERT_EQ(::mkfifo(tree_.path(kDockerConfig).c_str(), 0600), 0);
  EXPECT_THAT(read("/docker/" + kId).missing.at("container.name"), HasSubstr("regular"));
}

}  // namespace
}  // namespace oomwitness
