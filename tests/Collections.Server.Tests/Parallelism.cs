// Most of these tests wait for groups, sessions and servers: more of them at once than there are cores take less time and no more work.
[assembly: CollectionBehavior(MaxParallelThreads = 4)]
