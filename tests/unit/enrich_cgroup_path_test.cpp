// SPDX-License-Identifier: BSD-2-Clause
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "enrich/cgroup_path.h"

namespace oomwitness {
namespace {

const std::string kId = std::string(32, 'a') + std::string(32, '1');
const std::string kInner = std::string(64, 'b');
const std::string kUid = "8a8c7b0e-1f2d-4c3b-9a5e-0123456789ab";
const std::string kUidUnderscores = "8a8c7b0e_1f2d_4c3b_9a5e_0123456789ab";
const std::string kStaticUid = "0123456789abcdef0123456789abcdef";

TEST(UnitTest, TheInnermostServiceOrScope) {
  const struct {
    std::string path, unit;
  } cases[] = {
      {"/system.slice/mongod.service", "mongod.service"},
      {"/user.slice/user-1000.slice/user@1000.service/app.slice/foo.service", "foo.service"},
      {"/user.slice/user-1000.slice/user@1000.service/init.scope", "init.scope"},
      {"/user.slice/user-1000.slice/session-2.scope", "session-2.scope"},
      {"/system.slice/system-getty.slice/getty@tty1.service", "getty@tty1.service"},
      {"/system.slice/web.service/workers/3", "web.service"},
      {"/system.slice/dev\\x2dfoo\\x40bar.service", "dev\\x2dfoo\\x40bar.service"},
      {"/system.slice/docker-" + kId + ".scope", "docker-" + kId + ".scope"},
      {"/system.slice", ""},
      {"/", ""},
      {"", ""},
      {"/system.slice/.service", ""},
      {"/service", ""},
      {"/a.service.d/b", ""},
  };
  for (const auto& c : cases) EXPECT_EQ(parse_cgroup_path(c.path).unit.value_or(""), c.unit);
}

struct ContainerCase {
  std::string path;
  std::string runtime;
  std::string id;  // empty: no container
};

void check(const ContainerCase& c) {
  SCOPED_TRACE(c.path);
  const auto ref = parse_cgroup_path(c.path).container;
  ASSERT_EQ(ref.has_value(), !c.id.empty());
  if (!ref) return;
  EXPECT_EQ(ref->runtime, c.runtime);
  EXPECT_EQ(ref->id, c.id);
  EXPECT_FALSE(ref->needs_state);
}

TEST(ContainerPathTest, SystemdDriver) {
  const std::string pod = "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" +
                          kUidUnderscores + ".slice/";
  for (const ContainerCase& c : std::vector<ContainerCase>{
           {"/system.slice/docker-" + kId + ".scope", "docker", kId},
           {pod + "docker-" + kId + ".scope", "docker", kId},
           {pod + "cri-containerd-" + kId + ".scope", "containerd", kId},
           {pod + "crio-" + kId + ".scope", "cri-o", kId},
           {pod + "crio-conmon-" + kId + ".scope", "", ""},
           {"/machine.slice/libpod-" + kId + ".scope", "podman", kId},
           {"/machine.slice/libpod-" + kId + ".scope/container", "podman", kId},
           {"/machine.slice/libpod-conmon-" + kId + ".scope", "", ""},
           {"/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" + kId + ".scope",
            "podman", kId},
           {"/system.slice/app.service/libpod-payload-" + kId, "podman", kId},
           {"/system.slice/nerdctl-" + kId + ".scope", "containerd", kId},
           {"/machine.slice/systemd-nspawn@web.service/payload/system.slice/nginx.service",
            "systemd-nspawn", "web"},
           {"/machine.slice/systemd-nspawn@web.service/supervisor", "", ""},
           {"/machine.slice/machine-web\\x2d1.scope/payload", "systemd-nspawn", "web-1"},
           {"/machine.slice/machine-qemu\\x2d1\\x2ddebian.scope/libvirt/emulator", "", ""},
       })
    check(c);
}

TEST(ContainerPathTest, CgroupfsDriver) {
  for (const ContainerCase& c : std::vector<ContainerCase>{
           {"/docker/" + kId, "docker", kId},
           {"/docker/" + kId + "/init.scope", "docker", kId},
           {"/kubepods/burstable/pod" + kUid + "/" + kId, "", kId},
           {"/kubepods/pod" + kUid + "/crio-" + kId, "cri-o", kId},
           {"/kubepods/pod" + kUid + "/crio-conmon-" + kId, "", ""},
           {"/libpod_parent/libpod-" + kId, "podman", kId},
           {"/system.slice/containerd.service/kubepods-burstable-pod" + kUidUnderscores +
                ".slice:cri-containerd:" + kId,
            "containerd", kId},
           {"/system.slice:docker:" + kId, "docker", kId},
           {"/default/" + kId, "", kId},
           {"/lxc.payload.web", "lxc", "web"},
           {"/lxc.payload.project_web/system.slice/ssh.service", "lxc", "project_web"},
           {"/lxc.payload/web", "lxc", "web"},
           {"/lxc.monitor.web", "", ""},
           {"/lxc/101/ns/init.scope", "lxc", "101"},
           {"/user.slice/x/lxc.payload.web", "lxc", "web"},
       })
    check(c);
}

TEST(ContainerPathTest, TheInnermostOfNestedOnes) {
  for (const ContainerCase& c : std::vector<ContainerCase>{
           {"/docker/" + kId + "/docker/" + kInner, "docker", kInner},
           {"/system.slice/docker-" + kId + ".scope/docker/" + kInner, "docker", kInner},
           // kind: a node is a container, its pods are in it
           {"/docker/" + kId + "/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod" +
                kUidUnderscores + ".slice/cri-containerd-" + kInner + ".scope",
            "containerd", kInner},
           {"/docker/" + kId + "/kubelet/kubepods/burstable/pod" + kUid + "/" + kInner, "", kInner},
           {"/docker/" + kId + "/kubepods/crio-conmon-" + kInner, "docker", kId},
           {"/lxc.payload.web/docker/" + kId, "docker", kId},
       })
    check(c);
}

TEST(ContainerPathTest, NamesThatAreNoContainers) {
  for (const std::string& path : std::vector<std::string>{
           "/docker",
           "/docker/" + kId.substr(1),
           "/docker/" + kId + "0",
           "/docker/" + std::string(64, 'A'),
           "/system.slice/docker-..scope",
           "/system.slice/docker-../../etc.scope",
           "/system.slice/docker.service",
           "/system.slice/containerd.service",
           "/lxc/..",
           "/lxc.payload...",
           "/lxc/a\nb",
           "/lxc/\x1b[2J",
           "/machine.slice/machine-\\x2e\\x2e.scope",
           "/machine.slice/machine-a\\x2fb.scope",
           "/machine.slice/systemd-nspawn@.service",
           "/machine.slice/systemd-nspawn@...service",
           "/" + std::string(255, 'f'),
           "/lxc/" + std::string(255, 'f'),
           ":docker:" + kId,
           "/docker:" + kId,
           "/kubepods/burstable/pod" + kUid,
       })
    check({path, "", ""});
  // One that looks like ".." only to a reader who does not know that ".." is no unit.
  EXPECT_EQ(parse_cgroup_path("/a/../b").unit, std::nullopt);
}

TEST(ContainerPathTest, ContainerdNamesOfAnyFormNeedAStateFile) {
  const auto ref = parse_cgroup_path("/default/redis").container;
  ASSERT_TRUE(ref);
  EXPECT_EQ(ref->id, "redis");
  EXPECT_TRUE(ref->needs_state);
  EXPECT_FALSE(parse_cgroup_path("/x/default/redis").container);
}

TEST(PodPathTest, UidsOfBothDrivers) {
  const struct {
    std::string path, uid;
  } cases[] = {
      {"/kubepods/burstable/pod" + kUid + "/" + kId, kUid},
      {"/kubepods/besteffort/pod" + kUid, kUid},
      {"/kubepods/pod" + kUid + "/" + kId, kUid},
      {"/kubepods/pod" + kStaticUid + "/" + kId, kStaticUid},
      {"/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod" + kUidUnderscores +
           ".slice/cri-containerd-" + kId + ".scope",
       kUid},
      {"/kubepods.slice/kubepods-pod" + kUidUnderscores + ".slice/crio-" + kId + ".scope", kUid},
      {"/docker/" + kId + "/kubelet.slice/kubelet-kubepods-burstable-pod" + kUidUnderscores +
           ".slice/cri-containerd-" + kInner + ".scope",
       kUid},
      {"/system.slice/containerd.service/kubepods-burstable-pod" + kUidUnderscores +
           ".slice:cri-containerd:" + kId,
       kUid},
      {"/kubepods/burstable/pod" + kUid + "/" + kId + "/docker/" + kInner, kUid},
      {"/pod" + kUid + "/" + kId, ""},
      {"/kubepods/podium", ""},
      {"/kubepods/pod../x", ""},
      {"/system.slice/my-pod" + kUidUnderscores + ".slice", ""},
      {"/kubepods-pod.slice", ""},
  };
  for (const auto& c : cases)
    EXPECT_EQ(parse_cgroup_path(c.path).pod_uid.value_or(""), c.uid) << c.path;
}

TEST(UnescapeUnitNameTest, LeavesBrokenEscapes) {
  EXPECT_EQ(unescape_unit_name("a\\x2db"), "a-b");
  EXPECT_EQ(unescape_unit_name("a\\x2"), "a\\x2");
  EXPECT_EQ(unescape_unit_name("a\\xzzb\\"), "a\\xzzb\\");
  EXPECT_EQ(unescape_unit_name("\\x-1"), "\\x-1");
}

}  // namespace
}  // namespace oomwitness
