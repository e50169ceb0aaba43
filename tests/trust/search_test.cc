// The walk over delegations: order, terminating, cycles, limits, and whose keys count.
#include <gtest/gtest.h>

#include "tests/trust/support.h"

namespace skiff::trust {

namespace {

struct Edge {
    std::string from, to;
    std::vector<std::string> paths = {"*"};
    bool terminating = false;
    int key = 4;  // the number of the test signer that must sign `to` through this delegation
};

// Any graph of roles below targets.json, all signed by one key unless an edge says otherwise.
class Graph {
 public:
    World world;

    Graph(const std::vector<Edge>& edges, const std::map<std::string, std::string>& targets,
          const std::map<std::string, int>& signed_by = {}) {
        world.publish();
        std::map<std::string, Json> bodies;
        bodies["targets"] = empty_body();
        for (const Edge& edge : edges) {
            for (const std::string& role : {edge.from, edge.to})
                if (!bodies.contains(role)) bodies[role] = empty_body();
            const auto signer = test_signer(static_cast<std::uint8_t>(edge.key));
            Json& delegations = bodies[edge.from]["delegations"];
            delegations["keys"][signer->keyid()] = key_json(signer->public_key());
            delegations["roles"].push_back({{"name", edge.to},
                                            {"keyids", {signer->keyid()}},
                                            {"threshold", 1},
                                            {"paths", edge.paths},
                                            {"terminating", edge.terminating}});
        }
        for (const auto& [path, role] : targets)
            bodies[role]["targets"][path] = {{"length", 1},
                                             {"hashes", {{"sha256", sha256_hex(as_bytes(role))}}}};
        Json snapshot = world.body("1.snapshot.json");
        snapshot["version"] = 2;
        for (const auto& [role, body] : bodies) {
            const bool top = role == "targets";
            const auto by = signed_by.find(role);
            const auto signer = test_signer(
                top ? 2 : static_cast<std::uint8_t>(by == signed_by.end() ? 4 : by->second));
            world.forge("7." + role + ".json", body, {signer.get()});
            snapshot["meta"][role + ".json"] = {{"version", 7}};
        }
        world.forge("2.snapshot.json", snapshot, {world.online.get()});
        Json timestamp = world.body("timestamp.json");
        timestamp["version"] = 2;
        timestamp["meta"]["snapshot.json"]["version"] = 2;
        world.forge("timestamp.json", timestamp, {world.online.get()});
    }

    // The role that vouches for the path, or the error's word; and the roles visited.
    std::string search(const std::string& path) {
        auto client = world.client();
        if (!client->refresh(RefreshMode::full).ok()) return "no refresh";
        world.metadata.take_requests();
        const auto found = client->find_target(path);
        visited.clear();
        for (std::string request : world.metadata.take_requests())
            visited += request.substr(2, request.size() - 7);
        if (found.ok()) return found->role;
        return found.error().code == Code::not_found ? "nobody" : "error";
    }
    std::string visited;

 private:
    static Json empty_body() {
        return {{"_type", "targets"},
                {"spec_version", "1.0.34"},
                {"version", 7},
                {"expires", date_time_text(start_s + day_s)},
                {"targets", Json::object()}};
    }
};

}  // namespace

TEST(Search, goes_depth_first_in_order_of_delegation) {
    Graph graph({{"targets", "A"}, {"targets", "B"}, {"A", "C"}, {"A", "D"}}, {});
    EXPECT_EQ(graph.search("x"), "nobody");
    EXPECT_EQ(graph.visited, "ACDB");
}

TEST(Search, the_first_role_wins) {
    Graph graph({{"targets", "A"}, {"targets", "B"}, {"A", "C"}}, {{"x", "C"}, {"y", "B"}});
    EXPECT_EQ(graph.search("x"), "C");
    EXPECT_EQ(graph.visited, "AC");
    Graph both({{"targets", "A"}, {"targets", "B"}}, {{"x", "B"}, {"y", "A"}});
    EXPECT_EQ(both.search("x"), "B");
    EXPECT_EQ(both.search("y"), "A");
}

TEST(Search, a_terminating_delegation_hides_what_follows_but_not_its_children) {
    Graph graph({{"targets", "A", {"*"}, true}, {"targets", "B"}, {"A", "C"}, {"A", "D"}},
                {{"x", "B"}, {"y", "D"}});
    EXPECT_EQ(graph.search("x"), "nobody");
    EXPECT_EQ(graph.visited, "ACD");
    EXPECT_EQ(graph.search("y"), "D");
    Graph deep({{"targets", "A"}, {"targets", "B"}, {"A", "C", {"*"}, true}, {"A", "D"}},
               {{"x", "D"}, {"y", "B"}});
    EXPECT_EQ(deep.search("x"), "nobody");
    EXPECT_EQ(deep.search("y"), "nobody");
}

TEST(Search, every_delegation_on_the_way_must_allow_the_path) {
    Graph graph({{"targets", "A", {"a/*"}}, {"A", "B", {"*", "b/*"}}}, {{"b/x", "B"}, {"x", "B"}});
    EXPECT_EQ(graph.search("b/x"), "nobody");
    EXPECT_EQ(graph.search("x"), "nobody");
    EXPECT_EQ(graph.visited, "");
}

TEST(Search, ends_in_cycles_and_huge_graphs) {
    Graph cycle({{"targets", "A"}, {"A", "B"}, {"B", "A"}, {"B", "B"}}, {});
    EXPECT_EQ(cycle.search("x"), "nobody");
    EXPECT_EQ(cycle.visited, "AB");
    std::vector<Edge> chain = {{"targets", "r0"}};
    for (int i = 0; i < 60; ++i)
        chain.push_back({"r" + std::to_string(i), "r" + std::to_string(i + 1)});
    Graph deep(chain, {{"near", "r30"}, {"far", "r31"}});
    EXPECT_EQ(deep.search("near"), "r30");
    EXPECT_EQ(deep.search("far"), "nobody");
}

TEST(Search, a_missing_or_unsigned_role_ends_it) {
    Graph graph({{"targets", "A"}, {"targets", "B"}}, {{"x", "B"}});
    const std::string a = graph.world.tree.files.at("metadata/7.A.json");
    graph.world.tree.files.erase("metadata/7.A.json");
    EXPECT_EQ(graph.search("x"), "error");
    graph.world.tree.files["metadata/7.A.json"] = a;
    EXPECT_EQ(graph.search("x"), "B");
    Graph unsigned_role({{"targets", "A"}, {"targets", "B"}}, {{"x", "B"}}, {{"A", 5}});
    EXPECT_EQ(unsigned_role.search("x"), "error");
}

TEST(Search, a_stored_role_is_judged_by_who_delegates_to_it_now) {
    // Team a and team b both delegate to "release", with different keys; only team a's key signed
    // it. That it was fetched and stored for team a must not help team b's path.
    Graph graph({{"targets", "pa", {"a/*"}},
                 {"targets", "pb", {"b/*"}},
                 {"pa", "release", {"*/*"}, false, 5},
                 {"pb", "release", {"*/*"}, false, 6}},
                {{"a/x", "release"}, {"b/x", "release"}}, {{"release", 5}});
    auto client = graph.world.client();
    ASSERT_TRUE(client->refresh(RefreshMode::full).ok());
    EXPECT_TRUE(client->find_target("a/x").ok());
    EXPECT_EQ(code_of(client->find_target("b/x")), Code::bad_signature);
    EXPECT_EQ(code_of(client->find_target("b/x", Source::store)), Code::bad_signature);
    EXPECT_TRUE(client->find_target("a/x").ok());
}

TEST(Search, a_listed_role_shows_only_the_targets_it_may_sign) {
    Graph graph({{"targets", "A", {"a/*"}}}, {{"a/x", "A"}, {"b/x", "A"}});
    auto client = graph.world.client();
    ASSERT_TRUE(client->refresh(RefreshMode::full).ok());
    const Targets role = client->role(std::vector<std::string>{"A"}).value();
    EXPECT_EQ(role.targets.size(), 1u);
    EXPECT_TRUE(role.targets.contains("a/x"));
}

}  // namespace skiff::trust
